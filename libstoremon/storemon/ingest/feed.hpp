#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/feed_kind.hpp"
#include "storemon/model/update.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storemon::ingest {

/// Why a line was not taken.
enum class reject_reason : uint8_t {
  too_few_fields,
  bad_quoting,  ///< a quoted field that does not end within record_bytes_max, or text after its closing quote
  bad_store_id, ///< empty, or longer than store_id_bytes_max
  bad_status,   ///< neither active nor inactive
  bad_timestamp,
  bad_day,        ///< not one digit 0 to 6
  bad_time,       ///< start or end not a time of day
  bad_zone_name,  ///< empty or longer than 64 bytes; a name merely unknown to the tz database is taken
  line_too_long,  ///< longer than record_bytes_max
  in_the_future,  ///< an observation later than what is taken; see feed_parser
  bad_json,       ///< a line of NDJSON that is not one JSON value
  not_an_object,  ///< a JSON value of another kind
  unknown_field,  ///< of a JSON object
  repeated_field, ///< likewise
  bad_date,       ///< valid_from not a date
  bad_span,       ///< a closure that does not begin before it ends
};

inline constexpr size_t reject_reasons = 16;

std::string_view to_string(reject_reason reason) noexcept;

/// The longest record that is read as one: it bounds memory, and how far a stray quote can reach.
inline constexpr size_t record_bytes_max = 64 * 1024;

/// A rejected line, quoted: its number in the file (the header is 1) and its first bytes.
struct reject_sample {
  uint64_t line = 0;
  reject_reason reason{};
  std::string text; ///< at most 200 bytes of the line
};

/// The rejected lines of a feed or of a part of it.
struct rejects {
  static constexpr size_t samples_max = 100;

  std::array<uint64_t, reject_reasons> count{};
  std::vector<reject_sample> samples; ///< the first samples_max, in line order

  uint64_t total() const noexcept;
  void add(uint64_t line, reject_reason reason, std::string_view text);

  /// Appends what a later part of the same file rejected; `lines_before` is added to its line numbers.
  void append(const rejects& later, uint64_t lines_before);
};

/// Where a feed's columns stand: known from its header line.
struct layout {
  feed_kind kind = feed_kind::status;
  /// Of store_id and then, in the order of columns_of in feed.cpp, the feed's other columns.
  std::array<uint32_t, 4> column{};
  uint32_t fields_min = 0; ///< a record needs at least so many fields
  /// Of `valid_from`, which hours may have besides: a date, or empty for hours that were in force since ever.
  std::optional<uint32_t> valid_from{};
};

/// Reads a header record (without its line end). Columns in any order, further ones are allowed and ignored,
/// save `valid_from` in the hours feed.
/// @returns errc::bad_feed naming the missing columns.
result<layout> read_header(feed_kind kind, std::string_view record);

/// Reads the header record of a feed that is not known. The feeds beyond SEMANTICS' three are not looked for:
/// corrections have the columns of the status feed, and every feed those of stores.
/// @returns errc::bad_feed unless it is the header of exactly one of the three.
result<layout> read_header(std::string_view record);

} // namespace storemon::ingest
