#pragma once

#include "storemon/ingest/feed.hpp"

#include <boost/json/error.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string_view>

namespace storemon::ingest {

/// One JSON value, read as an observation's object.
struct json_row {
  size_t bytes = 0;                 ///< up to the value's end; white space after it may be counted in
  std::optional<reject_reason> why; ///< why it is no object with the three fields, each once and no other
  /// `store_id`, `status`, `timestamp_utc` as layout `{0, 1, 2}` has them; one of another type is empty.
  std::array<std::string_view, 3> fields;
};

/// Reads JSON values that stand in one text, one after the other. Not for several threads at once.
class json_row_reader {
public:
  /// @param text  in which all values stand; it and the reader must outlive the fields
  explicit json_row_reader(std::string_view text);
  ~json_row_reader();

  /// Reads the value that begins at `from`.
  /// @returns false when that is not well-formed JSON: then failure() says why, and `row.bytes` where.
  bool read(size_t from, size_t to, json_row& row);

  const boost::json::error_code& failure() const noexcept { return failure_; }

private:
  struct parser;

  std::string_view text_;
  std::unique_ptr<parser> parser_;
  boost::json::error_code failure_;
};

} // namespace storemon::ingest
