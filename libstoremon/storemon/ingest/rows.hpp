#pragma once

#include "storemon/ingest/feed.hpp"
#include "storemon/ingest/timestamp.hpp"
#include "storemon/model/interval.hpp"
#include "storemon/model/update.hpp"

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
  std::optional<hours_row> row;                      ///< nothing: the store is open 24x7
  std::optional<std::chrono::local_days> valid_from; ///< nothing: the feed has no such column
};

struct zone_row {
  std::string_view store;
  std::string_view zone;
};

struct closure_row {
  std::string_view store;
  interval span;
};

/// Of the stores feed.
struct store_row {
  std::string_view store;
};

inline constexpr size_t zone_name_bytes_max = 64;

/// Reads a record's fields as a row of the feed. Of several faults the one told is the first of: too few
/// fields, the store id, then the other columns in the order of layout::column.
/// @param latest  an observation after it is in_the_future
/// @returns why the record is no such row; nothing when it is one.
std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      timestamp_reader& timestamps, instant latest, status_row& row) noexcept;

/// Where there is a column valid_from, a record whose day and times are empty says that from that date on the
/// store has no rows.
std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      store_hours_row& row) noexcept;

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      zone_row& row) noexcept;

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      timestamp_reader& timestamps, closure_row& row) noexcept;

std::optional<reject_reason> read_row(const layout& where, std::span<const std::string_view> fields,
                                      store_row& row) noexcept;

} // namespace storemon::ingest
