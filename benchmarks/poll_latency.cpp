/// What a client waits for, over HTTP on loopback: for a report, from its trigger to the poll that finds it
/// complete, and for the answer to each poll while the server computes. Reports run one after the other, each
/// polled every millisecond; the client is a thread of this process and shares the cores with the server.
/// Once with reports in memory alone, and once with a data directory, where a report is complete when its
/// file is durable.
#include "storemon/http/front_end.hpp"
#include "storemon/node/engine.hpp"
#include "storemon/node/storage.hpp"
#include "storemon/node/version.hpp"
#include "storemon/synth/feed_files.hpp"

#include "support/http_client.hpp"
#include "support/scratch_directory.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>

using namespace storemon;

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::microseconds;

struct workload {
  uint32_t stores = 14'000;
  size_t reports = 50;
  size_t polls_max = 100'000; ///< of all reports: ends a run whose reports do not
};

boost::json::object object_of(const test::http_answer& answer) {
  if (answer.status != 200)
    throw std::runtime_error(answer.line + " " + answer.body);
  return boost::json::parse(answer.body).as_object();
}

/// Runs one report; appends how long each poll of it took.
/// @returns the time from the trigger until a poll found it complete.
microseconds run_report(test::http_client& client, std::vector<microseconds>& polls, size_t polls_max) {
  const auto triggered = clock_type::now();
  const auto id = object_of(client.post("/trigger_report")).at("report_id").as_string();
  const auto target = "/get_report?report_id=" + std::string(id.data(), id.size());
  while (polls.size() < polls_max) {
    const auto begin = clock_type::now();
    const auto answer = client.get(target);
    const auto end = clock_type::now();
    polls.push_back(std::chrono::duration_cast<microseconds>(end - begin));
    const auto status = object_of(answer).at("status").as_string();
    if (status == "Complete")
      return std::chrono::duration_cast<microseconds>(end - triggered);
    if (status != "Running")
      throw std::runtime_error(answer.body);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  throw std::runtime_error("the reports do not end");
}

void print(const char* what, std::vector<microseconds>& times) {
  std::sort(times.begin(), times.end());
  const auto at = [&times](size_t percent) {
    return static_cast<long long>(times[(times.size() - 1) * percent / 100].count());
  };
  const auto sum = std::accumulate(times.begin(), times.end(), microseconds());
  std::printf("%-20s %6zu times: mean %lld us, min %lld us, p50 %lld us, p99 %lld us, max %lld us\n", what,
              times.size(), static_cast<long long>(sum.count()) / static_cast<long long>(times.size()), at(0),
              at(50), at(99), at(100));
}

/// @param kept  a data directory to be made; empty: none
void run(const workload& work, const std::string& feeds, const std::string& kept) {
  node::engine_options options;
  if (!kept.empty())
    options.storage = node::open_storage(kept, options.supervisor.partitions).value().kept;
  options.supervisor.import_directory = feeds;
  options.weights.only_when_asked = true; // else a fit would run beside the first reports
  node::engine engine(std::move(options));
  engine.wait_ready().value();
  http::options listen;
  listen.port = 0;
  http::front_end front(engine.system(),
                        {engine.coordinator(), engine.supervisor(), std::string(node::version)}, listen);
  front.start().value();

  test::http_client client(front.port());
  std::vector<microseconds> polls;
  std::vector<microseconds> reports;
  for (size_t i = 0; i < work.reports; ++i)
    reports.push_back(run_report(client, polls, work.polls_max));
  std::printf("%s\n", kept.empty() ? "in memory" : "durable");
  print("trigger to Complete", reports);
  print("answer to a poll", polls);
}

void run(const workload& work) {
  const test::scratch_directory feeds;
  const test::scratch_directory kept;
  const auto fleet = synth::generate({.stores = work.stores}).value();
  synth::write_feeds(fleet, feeds.path()).value();
  run(work, feeds.path().string(), "");
  run(work, feeds.path().string(), (kept.path() / "data").string());
}

} // namespace

int main() {
  try {
    run(std::getenv("STOREMON_BENCH_SMALL") ? workload{.stores = 300, .reports = 5} : workload{});
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "poll_latency: %s\n", failure.what());
    return 1;
  }
  return 0;
}
