#pragma once

#include "storemon/ingest/feed.hpp"
#include "storemon/ingest/timestamp.hpp"
#include "storemon/model/update.hpp"

#include <cstring>
#include <optional>
#include <span>
#include <string_view>

/// From fields to typed rows. The views in a row live as long as the fields it was read from.
namespace storemon::ingest {

struct status_row {
  std::string_view store;
  observation seen;
};

struct store_hours_row {
  std::string_view store;
  hours_row row;
};

struct zone_row {
  std::string_view store;
  std::string_view zone;
};

inline constexpr size_t zone_name_bytes_max = 64;

/// `active` or `inactive`, in any case.
inline std::optional<store_status> read_status(std::string_view text) noexcept {
  constexpr size_t active_bytes = 6;
  constexpr size_t inactive_bytes = 8;
  // As far as its letters go, a text in lower case.
  const auto lowered = []<class Word>(const char* at, Word spaces) {
    Word word = 0;
    std::memcpy(&word, at, sizeof word);
    return static_cast<Word>(word | spaces);
  };
  const auto four = [&](const char* at) { return lowered(at, uint32_t{0x20202020}); };
  const auto two = [&](const char* at) { return lowered(at, uint16_t{0x2020}); };

  const auto size = text.size();
  if (size != active_bytes && size != inactive_bytes)
    return std::nullopt;
  // Which of the two a row says is hard to foresee, so there is no branch on it.
  const char* const end = text.data() + size;
  const bool ends_in_active = (four(end - 6) == four("acti")) & (two(end - 2) == two("ve"));
  const bool active = size == active_bytes;
  if (!(ends_in_active & (active | (two(text.data()) == two("in")))))
    return std::nullopt;
  return static_cast<store_status>(active);
}

/// Reads a record's fields as a row of the feed. Of several faults the one told is the first of: too few
/// fields, the store id, then the other columns in SEMANTICS' order.
/// @returns why the record is no such row; nothing when it is one.
inline std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                             status_row& row) noexcept {
  if (fields.size() < where.fields_min)
    return reject_reason::too_few_fields;
  row.store = fields[where.column[0]];
  if (!is_store_id(row.store))
    return reject_reason::bad_store_id;
  const auto status = read_status(fields[where.column[1]]);
  if (!status)
    return reject_reason::bad_status;
  const auto at = read_timestamp(fields[where.column[2]]);
  if (!at)
    return reject_reason::bad_timestamp;
  row.seen = observation(*at, *status);
  return std::nullopt;
}

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      store_hours_row& row) noexcept;

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      zone_row& row) noexcept;

} // namespace storemon::ingest
