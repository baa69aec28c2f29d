#include "storemon/ingest/rows.hpp"

#include "storemon/model/local_text.hpp"

#include <algorithm>

namespace storemon::ingest {

namespace {

/// Whether `text` is `word`, which is in lower case, in any case.
bool says(std::string_view text, std::string_view word) noexcept {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); });
}

/// What the rows of all feeds begin with.
std::optional<reject_reason> read_store(const layout& where, std::span<const std::string_view> fields,
                                        std::string_view& store) noexcept {
  if (fields.size() < where.fields_min)
    return reject_reason::too_few_fields;
  store = fields[where.column[0]];
  if (!is_store_id(store))
    return reject_reason::bad_store_id;
  return std::nullopt;
}

} // namespace

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      timestamp_reader& timestamps, instant latest,
                                      status_row& row) noexcept {
  if (const auto why = read_store(where, fields, row.store))
    return why;
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
  if (const auto why = read_store(where, fields, row.store))
    return why;
  row.row.reset();
  row.valid_from.reset();
  if (where.valid_from) {
    const auto date = fields[*where.valid_from];
    row.valid_from = date.empty() ? always_valid : parse_date(date);
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
  if (const auto why = read_store(where, fields, row.store))
    return why;
  row.zone = fields[where.column[1]];
  if (row.zone.empty() || row.zone.size() > zone_name_bytes_max)
    return reject_reason::bad_zone_name;
  return std::nullopt;
}

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      timestamp_reader& timestamps, closure_row& row) noexcept {
  if (const auto why = read_store(where, fields, row.store))
    return why;
  if (!timestamps.read(fields[where.column[1]], row.span.from) ||
      !timestamps.read(fields[where.column[2]], row.span.to))
    return reject_reason::bad_timestamp;
  if (row.span.empty())
    return reject_reason::bad_span;
  return std::nullopt;
}

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      store_row& row) noexcept {
  return read_store(where, fields, row.store);
}

} // namespace storemon::ingest
