/// What a server takes in, durable before it answers: observations pushed over HTTP in batches from some
/// connections at once, then a whole status feed sent to be imported. The server is a process of its own on a
/// fresh data directory; the clients share its machine, and their bodies are made beforehand.
///
///     ingest_load [STOREMOND] [csv|json|ndjson] [PARTITIONS]
#include "storemon/synth/feed_files.hpp"

#include "support/http_client.hpp"
#include "support/process.hpp"
#include "support/scratch_directory.hpp"

#include <boost/json.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace storemon;

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::microseconds;

struct workload {
  size_t connections = 8;
  size_t batches = 400; ///< of each connection
  size_t batch_rows = 1000;
  uint32_t stores = 14'000;
  uint32_t import_stores = 14'000;
};

/// Bodies of one connection: every store in turn, a poll an hour, none twice.
std::vector<std::string> bodies(const workload& load, size_t connection, const std::string& form) {
  std::vector<std::string> made;
  uint64_t row = 0;
  for (size_t b = 0; b < load.batches; ++b) {
    std::string body = form == "csv" ? "store_id,status,timestamp_utc\n" : form == "json" ? "[" : "";
    for (size_t i = 0; i < load.batch_rows; ++i, ++row) {
      const auto place = row * load.connections + connection;
      const auto id = std::to_string(1'000'000'000'000'000'000 + place % load.stores * 7'919'000'003);
      const auto at = instant(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)) +
                      std::chrono::hours(place / load.stores) + microseconds(place % load.stores * 250'000);
      auto time = to_rfc3339(at);
      const char* status = place % 11 == 0 ? "inactive" : "active";
      if (form == "csv") {
        time[10] = ' ';
        time.back() = ' ';
        body += id + "," + status + "," + time + "UTC\n";
      } else {
        body += i > 0 && form == "json" ? "," : "";
        body +=
            R"({"store_id":")" + id + R"(","status":")" + status + R"(","timestamp_utc":")" + time + "\"}";
        body += form == "ndjson" ? "\n" : "";
      }
    }
    made.push_back(body + (form == "json" ? "]" : ""));
  }
  return made;
}

uint64_t bytes_of(const std::filesystem::path& directory) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file() && entry.path().filename() != "reserve")
      bytes += entry.file_size();
  return bytes;
}

double seconds_since(clock_type::time_point begin) {
  return std::chrono::duration<double>(clock_type::now() - begin).count();
}

class server {
public:
  server(const std::string& program, const std::filesystem::path& data, const std::string& partitions)
      : process_({program, "--http.port=0", "--node.partitions=" + partitions, "--data.dir=" + data.string(),
                  "--data.free_min_mb=0", "--data.free_min_percent=0", "--log.level=warn"}) {
    const auto line = process_.read_line();
    if (!line)
      throw std::runtime_error("the server does not start: " + process_.err());
    const auto colon = line->rfind(':');
    std::from_chars(line->data() + colon + 1, line->data() + line->size(), port_);
  }

  uint16_t port() const noexcept { return port_; }

  void stop() {
    process_.send_signal(SIGTERM);
    if (process_.wait() != 0)
      throw std::runtime_error("the server fails: " + process_.err());
  }

private:
  test::process process_;
  uint16_t port_ = 0;
};

/// Processor time of the servers that have ended, in seconds.
double cpu_of_ended_servers() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Pushes everything; a batch refused for want of credit is sent again.
void push(const server& to, const workload& load, const std::string& form) {
  const std::string type = form == "csv"    ? "text/csv"
                           : form == "json" ? "application/json"
                                            : "application/x-ndjson";
  std::vector<std::vector<std::string>> all;
  for (size_t c = 0; c < load.connections; ++c)
    all.push_back(bodies(load, c, form));
  std::vector<std::vector<microseconds>> times(load.connections);
  std::atomic<uint64_t> refused = 0;
  std::atomic<uint64_t> accepted = 0;
  std::vector<std::string> failures(load.connections);
  const auto begin = clock_type::now();
  std::vector<std::thread> clients;
  for (size_t c = 0; c < load.connections; ++c)
    clients.emplace_back([&, c] {
      try {
        test::http_client client(to.port());
        for (const auto& body : all[c])
          for (bool done = false; !done;) {
            const auto sent = clock_type::now();
            const auto answer = client.post("/api/v1/observations", body, {{"Content-Type", type}});
            if (answer.status == 429) {
              ++refused;
              std::this_thread::sleep_for(std::chrono::milliseconds(5));
              continue;
            }
            if (answer.status != 201)
              throw std::runtime_error(answer.line + " " + answer.body);
            times[c].push_back(std::chrono::duration_cast<microseconds>(clock_type::now() - sent));
            accepted += boost::json::parse(answer.body).at("accepted").to_number<uint64_t>();
            done = true;
          }
      } catch (const std::exception& e) {
        failures[c] = e.what();
      }
    });
  for (auto& client : clients)
    client.join();
  const auto took = seconds_since(begin);
  for (const auto& failure : failures)
    if (!failure.empty())
      throw std::runtime_error(failure);
  std::vector<microseconds> sorted;
  for (const auto& t : times)
    sorted.insert(sorted.end(), t.begin(), t.end());
  std::sort(sorted.begin(), sorted.end());
  const auto rows = load.connections * load.batches * load.batch_rows;
  if (accepted != rows)
    throw std::runtime_error("accepted " + std::to_string(accepted) + " of " + std::to_string(rows));
  std::printf(
      "push %-6s %zu connections x %zu batches of %zu: %.0f observations/s, answers p50 %lld us, p99 %lld "
      "us, max %lld us, %llu refused with 429\n",
      form.c_str(), load.connections, load.batches, load.batch_rows, static_cast<double>(rows) / took,
      static_cast<long long>(sorted[sorted.size() / 2].count()),
      static_cast<long long>(sorted[sorted.size() * 99 / 100].count()),
      static_cast<long long>(sorted.back().count()), static_cast<unsigned long long>(refused.load()));
}

void import(const server& to, const workload& load) {
  const test::scratch_directory feeds;
  synth::fleet_options options;
  options.stores = load.import_stores;
  const auto fleet = synth::generate(options);
  if (!fleet || !synth::write_feeds(*fleet, feeds.path().string()))
    throw std::runtime_error("no feeds could be generated");
  std::ostringstream text;
  text << std::ifstream(feeds.path() / "store_status.csv", std::ios::binary).rdbuf();
  const auto body = text.str();
  test::http_client client(to.port());
  const auto begin = clock_type::now();
  const auto answer = client.post("/api/v1/import?feed=status", body, {{"Content-Type", "text/csv"}});
  if (answer.status != 201)
    throw std::runtime_error(answer.line + " " + answer.body);
  std::printf("import of %zu rows, %.1f MB: durable after %.3f s\n", fleet->polls.size(),
              static_cast<double>(body.size()) / 1e6, seconds_since(begin));
}

/// One push and one import, each on a directory of its own; what they take there; how soon a restart is
/// ready.
void run(const std::string& program, const workload& load, const std::string& form,
         const std::string& partitions) {
  std::printf("%s partitions\n", partitions.c_str());
  {
    const test::scratch_directory scratch;
    const auto data = scratch.path() / "data";
    const auto cpu_before = cpu_of_ended_servers();
    server to(program, data, partitions);
    push(to, load, form);
    to.stop();
    const auto rows = static_cast<double>(load.connections * load.batches * load.batch_rows);
    std::printf("  %.1f bytes on disk and %.2f us of the server's processor time an observation\n",
                static_cast<double>(bytes_of(data)) / rows,
                1e6 * (cpu_of_ended_servers() - cpu_before) / rows);
    const auto begin = clock_type::now();
    server again(program, data, partitions);
    std::printf("  ready again after %.3f s\n", seconds_since(begin));
    again.stop();
  }
  const test::scratch_directory scratch;
  const auto data = scratch.path() / "data";
  server to(program, data, partitions);
  import(to, load);
  to.stop();
  std::printf("  %.1f MB on disk\n", static_cast<double>(bytes_of(data)) / 1e6);
  const auto begin = clock_type::now();
  server again(program, data, partitions);
  std::printf("  ready again after %.3f s\n", seconds_since(begin));
  again.stop();
}

} // namespace

int main(int argc, char** argv) {
  try {
    workload load;
    if (std::getenv("STOREMON_BENCH_SMALL"))
      load = {.connections = 2, .batches = 5, .batch_rows = 100, .stores = 50, .import_stores = 20};
    // The more partitions, the fewer rows of a batch share a record.
    std::vector<const char*> partition_counts{"8", "64"};
    if (argc > 3)
      partition_counts = {argv[3]};
    for (const char* partitions : partition_counts)
      run(argc > 1 ? argv[1] : STOREMOND, load, argc > 2 ? argv[2] : "csv", partitions);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ingest_load: %s\n", e.what());
    return 1;
  }
}
