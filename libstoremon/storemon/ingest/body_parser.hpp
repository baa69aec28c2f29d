#pragma once

#include "storemon/ingest/feed.hpp"
#include "storemon/model/error.hpp"
#include "storemon/model/update.hpp"
#include "storemon/protocol/messages.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

/// From the body of a client's request to rows by partition.
namespace storemon::ingest {

struct body_limits {
  /// Records of one body, at most store_table::ids_max: bounds how long a worker is deaf to others, and what
  /// one answer stands for.
  size_t records_max = 100'000;
  /// An observation after it is rejected as in_the_future.
  instant latest = instant::max();
};

struct partition_rows {
  uint32_t partition = 0;
  observation_rows rows;
};

/// What a body held. Its records are the lines of CSV after the header, the elements of a JSON array, the
/// lines of NDJSON, blank ones passed over; `rows + rejected.total()` is their number.
struct body_rows {
  uint64_t rows = 0;
  std::vector<partition_rows> parts; ///< one of each partition that has rows, ascending
  rejects rejected; ///< their lines as rejected_row tells: physical ones, of JSON the number of the element
};

/// Reads a body. A UTF-8 byte order mark before it is passed over.
///
/// CSV is a status feed with its header. JSON is an array of objects or one object, with the fields
/// `store_id` (text, or a number whose digits are kept as they are written), `status` and `timestamp_utc`, in
/// any order and no others. NDJSON is one such object a line. A field of another JSON type counts as one with
/// a bad value.
/// @returns errc::invalid_argument when there is no record, the CSV header does not fit, or the JSON is not
/// well formed; errc::too_large beyond records_max.
result<body_rows> read_body(protocol::body_format format, std::string_view body, uint32_t partitions,
                            const body_limits& limits);

} // namespace storemon::ingest
