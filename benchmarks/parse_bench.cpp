#include "storemon/ingest/chunk_reader.hpp"
#include "storemon/ingest/feed_parser.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <unistd.h>

namespace {

using namespace storemon;
using namespace storemon::ingest;

struct sample {
  layout where;
  std::string text; ///< without the header
  int64_t rows = 0;
};

/// Polls of 14,000 stores in no order over a week, as the public data set has them: 59 bytes a row.
const sample& polls() {
  static const sample made = [] {
    sample s;
    s.where = read_header(feed_kind::status, "store_id,status,timestamp_utc").value();
    s.rows = std::getenv("STOREMON_BENCH_SMALL") != nullptr ? 20'000 : 1'800'000;
    std::mt19937_64 random(1);
    std::vector<std::string> ids(14'000);
    for (auto& id : ids)
      id = std::to_string(random() >> 1);
    s.text.reserve(static_cast<size_t>(s.rows) * 64);
    for (int64_t i = 0; i < s.rows; ++i) {
      const auto second = static_cast<unsigned>(random() % (7 * 86'400));
      auto micros = std::to_string(1'000'000 + random() % 1'000'000).substr(1);
      // The data set drops a fraction's last zeros.
      while (micros.ends_with('0'))
        micros.pop_back();
      char row[96];
      const int size = std::snprintf(
          row, sizeof row, "%s,%s,2023-01-%02u %02u:%02u:%02u%s%s UTC\n", ids[random() % ids.size()].c_str(),
          random() % 10 < 8 ? "active" : "inactive", 18 + second / 86'400, second / 3600 % 24,
          second / 60 % 60, second % 60, micros.empty() ? "" : ".", micros.c_str());
      s.text.append(row, static_cast<size_t>(size));
    }
    return s;
  }();
  return made;
}

void report(benchmark::State& state, const sample& s) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * s.text.size()));
  state.SetItemsProcessed(state.iterations() * s.rows);
  state.counters["ns/row"] = benchmark::Counter(static_cast<double>(state.iterations() * s.rows) * 1e-9,
                                                benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// The baseline: what one would write first.
void naive_getline_strptime(benchmark::State& state) {
  const auto& s = polls();
  for (auto _ : state) {
    std::istringstream in(s.text);
    int64_t sum = 0;
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields(line);
      std::string id, status, time;
      std::getline(fields, id, ',');
      std::getline(fields, status, ',');
      std::getline(fields, time, ',');
      std::tm date{};
      const char* rest = strptime(time.c_str(), "%Y-%m-%d %H:%M:%S", &date);
      if (rest == nullptr)
        state.SkipWithError("a row does not parse");
      else
        sum += timegm(&date) * 1'000'000 +
               static_cast<int64_t>(std::strtod(*rest == '.' ? rest : "0", nullptr) * 1e6) +
               static_cast<int64_t>(id.size()) + (status == "active");
    }
    benchmark::DoNotOptimize(sum);
  }
  report(state, s);
}

constexpr size_t chunk_bytes = 1 << 20;

/// Calls `take` with chunk after chunk of the text.
template <class Take>
void for_each_chunk(std::string_view text, Take take) {
  while (!text.empty()) {
    const auto piece = text.substr(0, chunk_bytes);
    const auto size = whole_records(piece, piece.size() == text.size());
    take(text.substr(0, size));
    text.remove_prefix(size);
  }
}

void cut(benchmark::State& state) {
  const auto& s = polls();
  for (auto _ : state)
    for_each_chunk(s.text, [](std::string_view chunk) { benchmark::DoNotOptimize(chunk); });
  report(state, s);
}

void split(benchmark::State& state) {
  const auto& s = polls();
  for (auto _ : state)
    for_each_chunk(s.text, [](std::string_view chunk) {
      record_reader record(chunk, 3);
      while (record.next())
        benchmark::DoNotOptimize(record.fields().data());
    });
  report(state, s);
}

void parse(benchmark::State& state) {
  const auto& s = polls();
  for (auto _ : state)
    for_each_chunk(s.text, [&](std::string_view chunk) {
      record_reader record(chunk, 3);
      timestamp_reader timestamps;
      status_row row;
      while (record.next()) {
        const auto why = read_row(s.where, record.fields(), timestamps, instant::max(), row);
        benchmark::DoNotOptimize(why);
        benchmark::DoNotOptimize(row);
      }
    });
  report(state, s);
}

/// The way plain lines go, which is the way of all lines here.
void parse_plain_lines(benchmark::State& state) {
  const auto& s = polls();
  timestamp_reader timestamps;
  for (auto _ : state) {
    status_row row;
    for (auto text = std::string_view(s.text); text.size() >= poll_line::bytes_needed;) {
      const auto bytes = poll_line::read(text.data(), timestamps, row);
      benchmark::DoNotOptimize(row);
      if (bytes == 0) {
        state.SkipWithError("a plain line is declined");
        break;
      }
      text.remove_prefix(bytes);
    }
  }
  report(state, s);
}

void route_all(benchmark::State& state, const sample& s) {
  for (auto _ : state) {
    size_t batches = 0;
    feed_parser parser(s.where, {}, [&](uint32_t, auto&& batch) {
      ++batches;
      benchmark::DoNotOptimize(batch);
    });
    uint64_t rows = 0;
    for_each_chunk(s.text, [&](std::string_view chunk) { rows += parser.parse(chunk).rows; });
    parser.flush();
    if (rows != static_cast<uint64_t>(s.rows))
      state.SkipWithError("rows are missing");
  }
  report(state, s);
}

void parse_and_route(benchmark::State& state) {
  route_all(state, polls());
}

/// The same rows with every field in quotes, as some exports have them.
void parse_and_route_quoted(benchmark::State& state) {
  static const sample quoted = [] {
    sample s = polls();
    s.text = "\"";
    for (const char c : polls().text)
      if (c == ',')
        s.text += "\",\"";
      else if (c == '\n')
        s.text += "\"\n\"";
      else
        s.text += c;
    s.text.pop_back();
    return s;
  }();
  route_all(state, quoted);
}

/// The whole way from a file in the page cache, on one thread.
void read_parse_and_route(benchmark::State& state) {
  const auto& s = polls();
  const auto path =
      std::filesystem::temp_directory_path() / ("parse_bench_" + std::to_string(getpid()) + ".csv");
  std::ofstream(path, std::ios::binary) << "store_id,status,timestamp_utc\n" << s.text;
  for (auto _ : state) {
    auto reader = chunk_reader::open(path.string());
    if (!reader) {
      state.SkipWithError(reader.error().detail.c_str());
      break;
    }
    feed_parser parser(s.where, {}, [](uint32_t, auto&& batch) { benchmark::DoNotOptimize(batch); });
    chunk bytes;
    while (reader->next(bytes) && !bytes.text().empty())
      parser.parse(bytes.text());
    parser.flush();
  }
  std::filesystem::remove(path);
  report(state, s);
}

BENCHMARK(naive_getline_strptime)->Unit(benchmark::kMillisecond);
BENCHMARK(cut)->Unit(benchmark::kMillisecond);
BENCHMARK(split)->Unit(benchmark::kMillisecond);
BENCHMARK(parse)->Unit(benchmark::kMillisecond);
BENCHMARK(parse_plain_lines)->Unit(benchmark::kMillisecond);
BENCHMARK(parse_and_route)->Unit(benchmark::kMillisecond);
BENCHMARK(parse_and_route_quoted)->Unit(benchmark::kMillisecond);
BENCHMARK(read_parse_and_route)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
