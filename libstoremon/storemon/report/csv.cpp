#include "storemon/report/csv.hpp"

#include "storemon/estimate/estimator.hpp"
#include "storemon/estimate/exact.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <numeric>

namespace storemon::report {

namespace {

constexpr int64_t minute_us = 60'000'000;
constexpr int64_t hour_us = 60 * minute_us;

void append_number(std::string& out, int64_t value) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, static_cast<size_t>(end - text));
}

uint64_t prefix_of(std::string_view id) noexcept {
  uint64_t bytes = 0;
  std::memcpy(&bytes, id.data(), std::min(id.size(), sizeof bytes));
  static_assert(std::endian::native == std::endian::little);
  return __builtin_bswap64(bytes);
}

std::vector<fleet_counts> sum_fleet(const report_parts& parts, size_t windows) {
  std::vector<fleet_counts> fleet(windows);
  for (const auto& part : parts)
    for (size_t w = 0; w < windows; ++w)
      for (size_t i = 0; i < part->stores.size(); ++i)
        fleet[w] += part->measures[w * part->stores.size() + i];
  return fleet;
}

void append_id(std::string& out, std::string_view id, bool raw) {
  constexpr std::string_view formula_begins = "=+-@\t\r";
  if (!raw && formula_begins.find(id.front()) != std::string_view::npos)
    append_field(out, "'" + std::string(id));
  else
    append_field(out, id);
}

void append_loop_header(std::string& out) {
  out += "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
         "downtime_last_hour,downtime_last_day,downtime_last_week\n";
}

void append_full_header(std::string& out, const report_spec& spec, bool weighed) {
  out += "store_id,as_of,estimator,scope";
  for (const auto& w : spec.windows) {
    for (const auto* column :
         {"scheduled_s", "uptime_s", "downtime_s", "unknown_s", "excluded_s", "imputed_s", "observations"})
      out += "," + w.name + "_" + column;
    if (weighed)
      for (const auto* column : {"uptime_low_s", "uptime_high_s", "observed_share"})
        out += "," + w.name + "_" + column;
  }
  if (weighed)
    out += ",active_now";
  out += '\n';
}

void append_loop_row(std::string& out, const std::vector<figures>& of_windows) {
  constexpr size_t standard_windows = 3;
  for (size_t w = 0; w < standard_windows; ++w) {
    out += ',';
    append_rounded(out, of_windows[w].uptime, w == 0 ? minute_us : hour_us);
  }
  for (size_t w = 0; w < standard_windows; ++w) {
    out += ',';
    append_rounded(out, of_windows[w].downtime, w == 0 ? minute_us : hour_us);
  }
  out += '\n';
}

void append_window(std::string& out, const figures& f) {
  for (const auto us : {f.scheduled, f.uptime, f.downtime, f.unknown, f.excluded, f.imputed}) {
    out += ',';
    append_seconds(out, us);
  }
  out += ',';
  append_number(out, f.observations);
}

/// Bounds, and the share of opening time that observations reach; empty where nothing is known, and the
/// share where there is no opening time.
void append_belief(std::string& out, const figures& f, const uptime_bounds& bounds, bool observed) {
  for (const auto us : {bounds.low, bounds.high}) {
    out += ',';
    if (observed)
      append_seconds(out, us);
  }
  out += ',';
  if (const auto open = f.scheduled - f.excluded; open > 0)
    append_seconds(out, estimate::divide_half_even(
                            static_cast<estimate::uint128>(open - f.imputed - f.unknown) * 1'000'000,
                            static_cast<estimate::uint128>(open)));
}

} // namespace

void append_rounded(std::string& out, int64_t us, int64_t unit_us) {
  const int64_t step = unit_us / 100;
  int64_t hundredths = us / step;
  const int64_t rest = us % step;
  if (2 * rest > step || (2 * rest == step && hundredths % 2 != 0))
    ++hundredths;
  char text[24];
  auto* end = std::to_chars(text, text + sizeof text, hundredths / 100).ptr;
  if (const auto decimals = hundredths % 100; decimals != 0) {
    *end++ = '.';
    *end++ = static_cast<char>('0' + decimals / 10);
    if (decimals % 10 != 0)
      *end++ = static_cast<char>('0' + decimals % 10);
  }
  out.append(text, static_cast<size_t>(end - text));
}

void append_seconds(std::string& out, int64_t us) {
  append_number(out, us / 1'000'000);
  char decimals[7] = {'.'};
  auto rest = us % 1'000'000;
  for (int i = 6; i > 0; --i, rest /= 10)
    decimals[i] = static_cast<char>('0' + rest % 10);
  out.append(decimals, sizeof decimals);
}

void append_field(std::string& out, std::string_view text) {
  const auto has = [text](char c) { return text.find(c) != std::string_view::npos; };
  if (!has(',') && !has('"') && !has('\r') && !has('\n')) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"')
      out += '"';
    out += c;
  }
  out += '"';
}

csv_text::csv_text(report_request request, report_spec spec, report_parts parts, size_t pieces)
    : request_(std::move(request)), spec_(std::move(spec)),
      estimator_(*estimate::find_estimator(spec_.estimator)), parts_(std::move(parts)),
      fleet_(sum_fleet(parts_, spec_.windows.size())) {
  cut(all_rows(), pieces);
}

bool csv_text::before(const row_place& a, const row_place& b) const noexcept {
  if (a.prefix != b.prefix)
    return a.prefix < b.prefix;
  return parts_[a.part]->stores[a.index] < parts_[b.part]->stores[b.index];
}

std::vector<csv_text::row_place> csv_text::all_rows() const {
  size_t count = 0;
  for (const auto& part : parts_)
    count += part->stores.size();
  std::vector<row_place> rows;
  rows.reserve(count);
  for (uint32_t p = 0; p < parts_.size(); ++p)
    for (uint32_t i = 0; i < parts_[p]->stores.size(); ++i)
      rows.push_back({prefix_of(parts_[p]->stores[i]), p, i});
  return rows;
}

/// Sorts rows into pieces only; what is within a piece its writer sorts. Where to cut a sample of the rows
/// tells.
void csv_text::cut(std::span<const row_place> rows, size_t pieces) {
  constexpr size_t samples_per_piece = 16;
  const auto in_order = [this](const row_place& a, const row_place& b) { return before(a, b); };
  const auto step = std::max<size_t>(1, rows.size() / (pieces * samples_per_piece));
  std::vector<row_place> sample;
  for (size_t r = 0; r < rows.size(); r += step)
    sample.push_back(rows[r]);
  std::sort(sample.begin(), sample.end(), in_order);
  std::vector<row_place> cuts; // the first row of each piece but the first one
  for (size_t n = 1; n < pieces && !sample.empty(); ++n)
    cuts.push_back(sample[sample.size() * n / pieces]);

  begins_.assign(pieces + 1, 0);
  std::vector<uint32_t> piece_of(rows.size());
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto after = std::upper_bound(cuts.begin(), cuts.end(), rows[r], in_order);
    piece_of[r] = static_cast<uint32_t>(after - cuts.begin());
    ++begins_[piece_of[r] + 1];
  }
  std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  rows_.resize(rows.size());
  auto next = begins_;
  for (size_t r = 0; r < rows.size(); ++r)
    rows_[next[piece_of[r]]++] = rows[r];
}

/// Asks the memory for what a row is made of: neighbours in the text lie apart from one another.
void csv_text::prefetch(const row_place& row) const noexcept {
  const auto& part = *parts_[row.part];
  __builtin_prefetch(part.stores[row.index].data());
  for (size_t w = 0; w < spec_.windows.size(); ++w)
    __builtin_prefetch(&part.measures[w * part.stores.size() + row.index]);
}

void csv_text::append_header(std::string& out) const {
  if (request_.columns == column_set::full)
    append_full_header(out, spec_, estimator_.weighs_behaviours());
  else
    append_loop_header(out);
}

void csv_text::append_full_row(std::string& out, const row_place& row, const std::vector<figures>& of_windows,
                               std::string_view about_report) const {
  const auto& part = *parts_[row.part];
  const bool weighed = estimator_.weighs_behaviours();
  out += about_report;
  for (size_t w = 0; w < of_windows.size(); ++w) {
    append_window(out, of_windows[w]);
    if (!weighed)
      continue;
    const auto i = w * part.stores.size() + row.index;
    append_belief(out, of_windows[w], part.bounds[i], part.measures[i].horizon_observed > 0);
  }
  if (weighed) {
    out += ',';
    if (const auto chance = part.active_now[row.index]; chance != no_chance)
      append_seconds(out, chance); // in millionths as a length in microseconds
  }
  out += '\n';
}

std::string csv_text::piece(size_t number) const {
  const bool full = request_.columns == column_set::full;
  std::vector<row_place> rows(rows_.begin() + static_cast<std::ptrdiff_t>(begins_[number]),
                              rows_.begin() + static_cast<std::ptrdiff_t>(begins_[number + 1]));
  std::sort(rows.begin(), rows.end(),
            [this](const row_place& a, const row_place& b) { return before(a, b); });
  constexpr size_t loop_row_bytes = 96;
  constexpr size_t full_window_bytes = 96;
  std::string out;
  out.reserve(rows.size() *
              (full ? loop_row_bytes + full_window_bytes * spec_.windows.size() : loop_row_bytes));
  if (number == 0)
    append_header(out);
  const auto about_report =
      "," + to_rfc3339(spec_.as_of) + "," + spec_.estimator + "," + std::string(to_string(spec_.scope));
  std::vector<figures> of_windows(spec_.windows.size());
  constexpr size_t rows_ahead = 8;
  for (size_t r = 0; r < rows.size(); ++r) {
    if (r + rows_ahead < rows.size())
      prefetch(rows[r + rows_ahead]);
    const auto& row = rows[r];
    const auto& part = *parts_[row.part];
    for (size_t w = 0; w < of_windows.size(); ++w)
      of_windows[w] = estimator_.settle(part.measures[w * part.stores.size() + row.index], fleet_[w]);
    append_id(out, part.stores[row.index], request_.raw_ids);
    if (full)
      append_full_row(out, row, of_windows, about_report);
    else
      append_loop_row(out, of_windows);
  }
  return out;
}

std::string write_csv(const report_request& request, const report_spec& spec, const report_parts& parts) {
  return csv_text(request, spec, parts, 1).piece(0);
}

} // namespace storemon::report
