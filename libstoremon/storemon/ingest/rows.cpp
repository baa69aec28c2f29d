#include "storemon/ingest/rows.hpp"

#include <algorithm>

namespace storemon::ingest {

namespace {

/// Whether `text` is `word`, which is in lower case, in any case.
bool says(std::string_view text, std::string_view word) noexcept {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); });
}

/// `YYYY-MM-DD`; empty is always_valid.
std::optional<std::chrono::local_days> read_date(std::string_view text) noexcept {
  if (text.empty())
    return always_valid;
  constexpr size_t date_bytes = 10;
  constexpr std::string_view midnight = " 00:00:00";
  char full[date_bytes + midnight.size()];
  if (text.size() != date_bytes)
    return std::nullopt;
  std::copy(midnight.begin(), midnight.end(), std::copy(text.begin(), text.end(), full));
  const auto at = parse_instant({full, sizeof full});
  if (!at)
    return std::nullopt;
  return std::chrono::local_days(std::chrono::floor<std::chrono::days>(*at).time_since_epoch());
}

} // namespace

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      timestamp_reader& timestamps, instant latest,
                                      status_row& row) noexcept {
  if (fields.size() < where.fields_min)
    return reject_reason::too_few_fields;
  row.store = fields[where.column[0]];
  if (!is_store_id(row.store))
    return reject_reason::bad_store_id;
  const auto status = fields[where.column[1]];
  const bool active = says(status, "active");
  if (!active && !says(status, "inactive"))
    return reject_reason::bad_status;
  instant at;
  if (!timestamps.read(fields[where.column[2]], at))
    return reject_reason::bad_timestamp;
  if (at > latest)
    return reject_reason::in_the_future;
  row.seen = observation(at, static_cast<store_status>(active));
  return std::nullopt;
}

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      store_hours_row& row) noexcept {
  if (fields.size() < where.fields_min)
    return reject_reason::too_few_fields;
  row.store = fields[where.column[0]];
  if (!is_store_id(row.store))
    return reject_reason::bad_store_id;
  row.row.reset();
  row.valid_from.reset();
  if (where.valid_from) {
    row.valid_from = read_date(fields[*where.valid_from]);
    if (!row.valid_from)
      return reject_reason::bad_date;
    if (fields[where.column[1]].empty() && fields[where.column[2]].empty() && fields[where.column[3]].empty())
      return std::nullopt;
  }
  const auto day = fields[where.column[1]];
  if (day.size() != 1 || day[0] < '0' || day[0] > '6')
    return reject_reason::bad_day;
  const auto start = parse_time_of_day(fields[where.column[2]], false);
  const auto end = parse_time_of_day(fields[where.column[3]], true);
  if (!start || !end)
    return reject_reason::bad_time;
  row.row = hours_row{*start, *end, static_cast<uint8_t>(day[0] - '0')};
  return std::nullopt;
}

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      zone_row& row) noexcept {
  if (fields.size() < where.fields_min)
    return reject_reason::too_few_fields;
  row.store = fields[where.column[0]];
  if (!is_store_id(row.store))
    return reject_reason::bad_store_id;
  row.zone = fields[where.column[1]];
  if (row.zone.empty() || row.zone.size() > zone_name_bytes_max)
    return reject_reason::bad_zone_name;
  return std::nullopt;
}

} // namespace storemon::ingest
