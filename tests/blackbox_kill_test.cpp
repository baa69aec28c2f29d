/// T1: a server that is killed again and again while clients push to it. Whoever read an answer of success
/// must find all of that batch afterwards, once; nothing else may be there that was not sent.
#include "storemon/model/instant.hpp"

#include "support/server_process.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

using namespace storemon;
using namespace storemon::test;

namespace {

/// A batch as it was sent.
struct sent_batch {
  std::string key;
  std::vector<std::string> rows; ///< lines of the status feed
  bool acknowledged = false;
};

/// What clients sent, and what they were promised. Lives in the test, which nobody kills.
class ledger {
public:
  sent_batch& open(size_t client, uint64_t number) {
    std::lock_guard lock(mutex_);
    auto& batch = batches_[{client, number}];
    if (batch.rows.empty()) {
      batch.key = std::to_string(client) + "-" + std::to_string(number);
      constexpr size_t rows = 40;
      for (size_t i = 0; i < rows; ++i) {
        const auto minute = number * rows + i;
        const auto at =
            instant(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)) + std::chrono::minutes(minute);
        auto time = to_rfc3339(at);
        time[10] = ' ';
        time.back() = ' ';
        batch.rows.push_back("store-" + std::to_string(client) + "-" + std::to_string(minute % 17) +
                             (minute % 3 == 0 ? ",inactive," : ",active,") + time + "UTC");
      }
    }
    return batch;
  }

  void acknowledge(sent_batch& batch) {
    std::lock_guard lock(mutex_);
    batch.acknowledged = true;
  }

  std::multiset<std::string> promised() const { return rows(true); }

  std::multiset<std::string> sent() const { return rows(false); }

private:
  std::multiset<std::string> rows(bool promised_only) const {
    std::multiset<std::string> all;
    for (const auto& [place, batch] : batches_)
      if (batch.acknowledged || !promised_only)
        all.insert(batch.rows.begin(), batch.rows.end());
    return all;
  }

  std::mutex mutex_;
  std::map<std::pair<size_t, uint64_t>, sent_batch> batches_; // its values do not move
};

std::string body_of(const sent_batch& batch) {
  std::string body = "store_id,status,timestamp_utc\n";
  for (const auto& row : batch.rows)
    body += row + "\n";
  return body;
}

/// Pushes batch after batch until the server is gone; the first one may be a repetition of the last one's
/// that got no answer.
void push(size_t client, uint16_t port, uint64_t& next, ledger& told, std::atomic<uint64_t>& answers) {
  try {
    http_client connection(port);
    for (;; ++next) {
      auto& batch = told.open(client, next);
      const auto answer = connection.post("/api/v1/observations", body_of(batch),
                                          {{"Content-Type", "text/csv"}, {"Idempotency-Key", batch.key}});
      if (answer.status != 201 && answer.status != 200)
        return; // it is being killed
      told.acknowledge(batch);
      ++answers;
    }
  } catch (const std::exception&) {
    // The connection died with the server.
  }
}

std::multiset<std::string> exported(http_client& client) {
  const auto answer = client.get("/api/v1/export?feed=status");
  REQUIRE(answer.status == 200);
  std::multiset<std::string> rows;
  size_t begin = answer.body.find('\n') + 1;
  while (begin < answer.body.size()) {
    const auto end = answer.body.find('\n', begin);
    REQUIRE(end != std::string::npos);
    rows.insert(answer.body.substr(begin, end - begin));
    begin = end + 1;
  }
  return rows;
}

/// How much slower than usual the server may be before its clients have got nowhere when it is killed.
constexpr int patience =
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    10;
#else
    1;
#endif

size_t kills_wanted() {
  const char* wanted = std::getenv("STOREMON_FAULT_RUNS");
  return wanted ? std::strtoul(wanted, nullptr, 10) : 8;
}

} // namespace

TEST_CASE("what was acknowledged survives every kill, once, and nothing else appears") {
  const scratch_directory scratch;
  const auto data = "--data.dir=" + (scratch.path() / "data").string();
  const std::vector<std::string> options{data,
                                         "--data.free_min_mb=0",
                                         "--data.free_min_percent=0",
                                         "--node.partitions=8",
                                         "--data.snapshot_records=20",
                                         "--data.retention_days=0",
                                         "--log.level=warn"};
  constexpr size_t clients = 3;
  std::mt19937_64 random(1);
  ledger told;
  std::array<uint64_t, clients> next{};
  uint64_t acknowledged = 0;
  size_t idle_kills = 0;
  std::vector<double> restarts;
  const auto kills = kills_wanted();
  for (size_t kill = 0; kill <= kills; ++kill) {
    CAPTURE(kill);
    const auto begin = std::chrono::steady_clock::now();
    server_process server(options);
    restarts.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    auto reader = server.client();
    const auto there = exported(reader);
    const auto promised = told.promised();
    const auto sent = told.sent();
    std::vector<std::string> lost;
    std::set_difference(promised.begin(), promised.end(), there.begin(), there.end(),
                        std::back_inserter(lost));
    std::vector<std::string> unexpected; // repeated rows among them
    std::set_difference(there.begin(), there.end(), sent.begin(), sent.end(), std::back_inserter(unexpected));
    CAPTURE(lost.empty() ? "" : lost.front(), unexpected.empty() ? "" : unexpected.front());
    REQUIRE(lost.size() == 0);
    REQUIRE(unexpected.size() == 0);
    if (kill == kills)
      break;
    std::atomic<uint64_t> answers = 0;
    std::vector<std::thread> pushing;
    for (size_t c = 0; c < clients; ++c)
      pushing.emplace_back([&, c] { push(c, server.port(), next[c], told, answers); });
    std::this_thread::sleep_for(patience * std::chrono::milliseconds(20 + random() % 100));
    server.self().send_signal(SIGKILL);
    CHECK(server.self().wait() == -SIGKILL);
    for (auto& thread : pushing)
      thread.join();
    acknowledged += answers;
    idle_kills += answers == 0;
  }
  std::sort(restarts.begin(), restarts.end());
  WARN("kills " << kills << ", batches acknowledged " << acknowledged
                << ", lost 0, duplicated 0, unexpected 0, restart p50 " << restarts[restarts.size() / 2]
                << " ms, max " << restarts.back() << " ms");
  // A run in which hardly anything was acknowledged before the kill shows nothing.
  CHECK(acknowledged > kills * 5);
  CHECK(idle_kills * 4 <= kills);
}
