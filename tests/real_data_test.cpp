/// The engine on a real feed: what can be said of its figures without knowing them.
#include "support/csv_reader.hpp"
#include "support/reports.hpp"
#include "support/results.hpp"

#include <catch2/catch.hpp>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

using namespace storemon;

namespace {

/// Where the feed is: plainly written files, without quotes. STOREMON_REAL_DATA in the environment names
/// another.
std::string data_directory() {
  const char* named = std::getenv("STOREMON_REAL_DATA");
  return named ? named : STOREMON_SHARED_DATA;
}

/// Counted line by line, beside the engine.
struct counts {
  std::set<std::string> ids;
  std::set<std::string> polled;
  int64_t rows = 0;
  std::string newest; // as text: all timestamps are written alike, to the second at least
};

counts count_lines(const std::filesystem::path& directory) {
  counts c;
  size_t files = 0;
  for (const auto* name :
       {"store_status.csv", "business_hours.csv", "menu_hours.csv", "timezones.csv", "store_timezone.csv"}) {
    std::ifstream in(directory / name);
    if (!in)
      continue;
    ++files;
    std::string line;
    std::getline(in, line);
    REQUIRE(line.starts_with("store_id,"));
    while (std::getline(in, line)) {
      if (line.empty() || line == "\r")
        continue;
      ++c.rows;
      const auto id = line.substr(0, line.find(','));
      c.ids.insert(id);
      if (std::string_view(name) != "store_status.csv")
        continue;
      c.polled.insert(id);
      const auto at = line.substr(line.rfind(',') + 1);
      c.newest = std::max(c.newest, at.substr(0, at.find(" UTC")));
    }
  }
  REQUIRE(files == 3);
  return c;
}

/// A figure of the full columns, in microseconds; -1 unless it has exactly six decimals.
int64_t microseconds_of(std::string text) {
  if (text.size() < 8 || text[text.size() - 7] != '.')
    return -1;
  text.erase(text.size() - 7, 1);
  int64_t us = -1;
  const auto end = text.data() + text.size();
  return std::from_chars(text.data(), end, us).ptr == end ? us : -1;
}

/// A figure of the loop columns, in hundredths; -1 unless it has at most two decimals, without a zero at the
/// end.
int64_t hundredths_of(const std::string& text) {
  const auto dot = text.find('.');
  const auto decimals = dot == std::string::npos ? std::string() : text.substr(dot + 1);
  if (decimals.size() > 2 || decimals.ends_with('0') || text.ends_with('.'))
    return -1;
  return std::stoll(text.substr(0, dot)) * 100 + std::stoll((decimals + "00").substr(0, 2));
}

constexpr int64_t hour = 3'600'000'000;
constexpr int64_t lengths[] = {hour, 24 * hour, 168 * hour};

/// @returns how much uptime the fleet has, so that a report of zeros does not pass.
int64_t check_full(const std::vector<std::vector<std::string>>& rows, const counts& c) {
  const size_t columns = rows[0].size() == 4 + 3 * 7 ? 7 : 10; // of a window
  int64_t uptime = 0;
  for (size_t r = 1; r < rows.size(); ++r) {
    const auto& row = rows[r];
    REQUIRE(row.size() == rows[0].size());
    const bool polled = c.polled.contains(row[0]);
    for (size_t w = 0; w < 3; ++w) {
      const auto first = 4 + columns * w;
      int64_t f[6];
      for (size_t k = 0; k < 6; ++k)
        f[k] = microseconds_of(row[first + k]);
      const auto [scheduled, up, down, unknown, excluded, imputed] = f;
      const auto observations = std::stoll(row[first + 6]);
      CAPTURE(row[0], w, scheduled, up, down, unknown, imputed, observations);
      const bool sound = up + down + unknown + excluded == scheduled &&
                         std::min({up, down, unknown, imputed}) >= 0 && excluded == 0 &&
                         scheduled <= lengths[w] && imputed <= up + down && observations >= 0 &&
                         (polled || (unknown == scheduled && observations == 0));
      REQUIRE(sound);
      if (columns > 7 && !row[first + 7].empty())
        REQUIRE((microseconds_of(row[first + 7]) <= up && up <= microseconds_of(row[first + 8]) &&
                 microseconds_of(row[first + 8]) <= scheduled));
      uptime += up;
    }
  }
  return uptime;
}

void check_loop(const std::vector<std::vector<std::string>>& rows) {
  for (size_t r = 1; r < rows.size(); ++r) {
    REQUIRE(rows[r].size() == 7);
    for (size_t w = 0; w < 3; ++w) {
      const auto up = hundredths_of(rows[r][1 + w]);
      const auto down = hundredths_of(rows[r][4 + w]);
      const int64_t most = w == 0 ? 6000 : w == 1 ? 2400 : 16'800;
      CAPTURE(rows[r][0], w, up, down);
      // Each is rounded by itself, so both may be half a hundredth up.
      const bool sound = up >= 0 && down >= 0 && up <= most && down <= most && up + down <= most + 1;
      REQUIRE(sound);
    }
  }
}

} // namespace

TEST_CASE("a real feed is taken whole, and every figure of every report adds up") {
  const auto directory = data_directory();
  if (!std::filesystem::is_directory(directory)) {
    WARN("skipped: there is no real feed at " << directory);
    return;
  }
  const auto counted = count_lines(directory);
  REQUIRE(counted.rows > 0);
  node::engine engine(test::loading(directory, 64, 2));
  REQUIRE(engine.wait_ready());
  int64_t taken = 0;
  for (const auto& totals : test::last_totals(engine)) {
    CAPTURE(totals.file);
    CHECK(totals.rejected == 0);
    CHECK(totals.reject_samples.empty());
    taken += totals.rows.accepted + totals.rows.duplicates + totals.rows.conflicts;
  }
  CHECK(taken == counted.rows);
  WARN(taken << " rows of " << counted.ids.size() << " stores, " << counted.polled.size()
             << " of them polled, newest poll at " << counted.newest);
  CHECK(test::fit_weights(engine.system(), engine.weights()).label.stores > 0);
  for (auto request : test::every_estimator_and_scope()) {
    CAPTURE(request.estimator, to_string(request.scope));
    const auto loop = test::read_csv(test::csv_of(engine, request));
    request.columns = column_set::full;
    const auto status = test::run_report(engine.system(), engine.coordinator(), request);
    REQUIRE(status.state == protocol::report_state::complete);
    CHECK(status.as_of == parse_instant(counted.newest));
    const auto full = test::read_csv(status.file->bytes);
    REQUIRE(full.size() == 1 + counted.ids.size());
    REQUIRE(loop.size() == full.size());
    auto id = counted.ids.begin();
    for (size_t r = 1; r < full.size(); ++r, ++id)
      REQUIRE((full[r][0] == *id && loop[r][0] == *id));
    CHECK(check_full(full, counted) > 0);
    check_loop(loop);
  }
}
