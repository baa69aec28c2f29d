#pragma once

#include "fuzz.hpp"

#include "storemon/journal/codec.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Payloads of records and chunks, any bytes. The input begins with the kind, the coding, the number of rows
/// and the number of names; the rest is the payload.
namespace storemon::fuzz {

inline constexpr size_t payload_header = 4;

/// What records and chunks have in common.
template <class Row>
Row payload_row(const uint8_t* data, size_t size) {
  Row row;
  row.kind = data[0];
  row.codec = data[1];
  row.count = data[2];
  row.payload.assign(reinterpret_cast<const char*>(data) + payload_header, size - payload_header);
  return row;
}

inline journal::store_names payload_names(const uint8_t* data) {
  journal::store_names names;
  for (int i = 0; i < data[3]; ++i)
    names.index_of("store-" + std::to_string(i));
  return names;
}

/// Whether they say the same. Bytes that nobody wrote may have observations in any order.
inline bool same(const update& a, const update& b) {
  const auto* rows = std::get_if<observation_rows>(&a);
  const auto* others = std::get_if<observation_rows>(&b);
  if (!rows || !others)
    return a == b;
  const auto sorted = [](const observation_rows& of) {
    std::vector<std::pair<uint32_t, observation>> all;
    for (size_t i = 0; i < of.seen.size(); ++i)
      all.emplace_back(of.store[i], of.seen[i]);
    std::sort(all.begin(), all.end());
    return all;
  };
  return rows->rule == others->rule && rows->stores == others->stores && sorted(*rows) == sorted(*others);
}

inline bool same(const journal_entry& a, const journal_entry& b) {
  return a.mark == b.mark && a.written == b.written && same(a.change, b.change);
}

/// Requires of a record or a chunk that what can be decoded means the same when it is encoded again.
template <class Row>
void require_round_trip(const uint8_t* data, size_t size) {
  if (size < payload_header)
    return;
  static journal::codec coder;
  auto names = payload_names(data);
  const auto read = coder.decode(payload_row<Row>(data, size), names);
  if (!read) {
    require(read.error().code == errc::damaged);
    return;
  }
  const auto written = coder.encode(*read, names);
  require(written.has_value());
  require(names.size() == data[3]); // nobody new
  const auto again = coder.decode(*written, names);
  require(again && same(*again, *read));
  require(coder.encode(*again, names).value() == *written);
}

} // namespace storemon::fuzz
