#include "storemon/ingest/body_parser.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <random>

namespace {

using namespace storemon;
using protocol::body_format;

constexpr uint32_t partitions = 64;

/// Bodies of polls of 14,000 stores within two days, each of `rows` rows.
std::vector<std::string> bodies(body_format format, int64_t rows) {
  std::mt19937_64 random(1);
  std::vector<std::string> ids(14'000);
  for (auto& id : ids)
    id = std::to_string(random() >> 1);
  const size_t count = std::getenv("STOREMON_BENCH_SMALL") != nullptr ? 1 : 16;
  std::vector<std::string> made(count);
  for (auto& body : made) {
    body = format == body_format::csv    ? "store_id,status,timestamp_utc\n"
           : format == body_format::json ? "["
                                         : "";
    for (int64_t i = 0; i < rows; ++i) {
      const auto second = static_cast<unsigned>(random() % (2 * 86'400));
      char time[64];
      std::snprintf(time, sizeof time, "2023-01-%02u %02u:%02u:%02u.%06u UTC", 23 + second / 86'400,
                    second / 3600 % 24, second / 60 % 60, second % 60,
                    static_cast<unsigned>(random() % 1'000'000));
      const auto& id = ids[random() % ids.size()];
      const std::string status = random() % 10 < 8 ? "active" : "inactive";
      if (format == body_format::csv)
        body += id + "," + status + "," + time + "\n";
      else
        body += (format == body_format::json && i > 0 ? "," : "") + ("{\"store_id\":\"" + id) +
                "\",\"status\":\"" + status + "\",\"timestamp_utc\":\"" + time + "\"}" +
                (format == body_format::json ? "" : "\n");
    }
    if (format == body_format::json)
      body += "]";
  }
  return made;
}

void read(benchmark::State& state, body_format format) {
  const auto rows = state.range(0);
  const auto all = bodies(format, rows);
  size_t next = 0;
  size_t bytes = 0;
  for (auto _ : state) {
    const auto& body = all[next++ % all.size()];
    const auto got = ingest::read_body(format, body, partitions, {});
    if (!got || got->rows != static_cast<uint64_t>(rows))
      state.SkipWithError("rows are missing");
    bytes += body.size();
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
  state.SetItemsProcessed(state.iterations() * rows);
}

BENCHMARK_CAPTURE(read, csv, body_format::csv)
    ->Arg(1)
    ->Arg(1'000)
    ->Arg(100'000)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read, json, body_format::json)
    ->Arg(1)
    ->Arg(1'000)
    ->Arg(100'000)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read, ndjson, body_format::ndjson)
    ->Arg(1)
    ->Arg(1'000)
    ->Arg(100'000)
    ->Unit(benchmark::kMicrosecond);

} // namespace

BENCHMARK_MAIN();
