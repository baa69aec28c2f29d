#include "storemon/report/csv.hpp"

#include "storemon/estimate/estimator.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

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

void append_full_header(std::string& out, const report_spec& spec) {
  out += "store_id,as_of,estimator,scope";
  for (const auto& w : spec.windows)
    for (const auto* column :
         {"scheduled_s", "uptime_s", "downtime_s", "unknown_s", "excluded_s", "imputed_s", "observations"})
      out += "," + w.name + "_" + column;
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

void append_full_row(std::string& out, const std::vector<figures>& of_windows,
                     std::string_view about_report) {
  out += about_report;
  for (const auto& f : of_windows) {
    for (const auto us : {f.scheduled, f.uptime, f.downtime, f.unknown, f.excluded, f.imputed}) {
      out += ',';
      append_seconds(out, us);
    }
    out += ',';
    append_number(out, f.observations);
  }
  out += '\n';
}

} // namespace

void append_rounded(std::string& out, int64_t us, int64_t unit_us) {
  const int64_t step = unit_us / 100;
  int64_t hundredths = us / step;
  const int64_t rest = us % step;
  if (2 * rest > step || (2 * rest == step && hundredths % 2 != 0))
    ++hundredths;
  append_number(out, hundredths / 100);
  if (const auto decimals = hundredths % 100; decimals != 0) {
    out += '.';
    out += static_cast<char>('0' + decimals / 10);
    if (decimals % 10 != 0)
      out += static_cast<char>('0' + decimals % 10);
  }
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
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
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

csv_text::csv_text(report_request request, report_spec spec, report_parts parts)
    : request_(std::move(request)), spec_(std::move(spec)), parts_(std::move(parts)),
      fleet_(sum_fleet(parts_, spec_.windows.size())) {
  put_in_order();
}

void csv_text::put_in_order() {
  size_t count = 0;
  for (const auto& part : parts_)
    count += part->stores.size();
  rows_.reserve(count);
  for (uint32_t p = 0; p < parts_.size(); ++p)
    for (uint32_t i = 0; i < parts_[p]->stores.size(); ++i)
      rows_.push_back({prefix_of(parts_[p]->stores[i]), p, i});
  std::sort(rows_.begin(), rows_.end(), [this](const row_place& a, const row_place& b) {
    if (a.prefix != b.prefix)
      return a.prefix < b.prefix;
    return parts_[a.part]->stores[a.index] < parts_[b.part]->stores[b.index];
  });
}

void csv_text::append_header(std::string& out) const {
  if (request_.columns == column_set::full)
    append_full_header(out, spec_);
  else
    append_loop_header(out);
}

std::string csv_text::piece(size_t number, size_t pieces) const {
  const auto& by = *estimate::find_estimator(spec_.estimator);
  const bool full = request_.columns == column_set::full;
  const auto first = rows_.size() * number / pieces;
  const auto last = rows_.size() * (number + 1) / pieces;
  constexpr size_t loop_row_bytes = 64;
  constexpr size_t full_window_bytes = 96;
  std::string out;
  out.reserve((last - first) *
              (full ? loop_row_bytes + full_window_bytes * spec_.windows.size() : loop_row_bytes));
  if (number == 0)
    append_header(out);
  const auto about_report =
      "," + to_rfc3339(spec_.as_of) + "," + spec_.estimator + "," + std::string(to_string(spec_.scope));
  std::vector<figures> of_windows(spec_.windows.size());
  for (auto r = first; r < last; ++r) {
    const auto& row = rows_[r];
    const auto& part = *parts_[row.part];
    for (size_t w = 0; w < of_windows.size(); ++w)
      of_windows[w] = by.settle(part.measures[w * part.stores.size() + row.index], fleet_[w]);
    append_id(out, part.stores[row.index], request_.raw_ids);
    if (full)
      append_full_row(out, of_windows, about_report);
    else
      append_loop_row(out, of_windows);
  }
  return out;
}

std::string write_csv(const report_request& request, const report_spec& spec, const report_parts& parts) {
  return csv_text(request, spec, parts).piece(0, 1);
}

} // namespace storemon::report
