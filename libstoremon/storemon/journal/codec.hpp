#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/journal/store_names.hpp"
#include "storemon/model/update.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace storemon::journal {

/// How a payload is written; numbers that are given once stay as they are for ever.
enum class coding : uint8_t {
  plain = 1, ///< see codec.cpp
  zstd = 2,  ///< the same in one zstd frame that tells its size
};

/// Payloads of fewer bytes are not compressed: it would not pay.
inline constexpr size_t zstd_from_bytes = 256;

/// No payload is longer than this before compression: what a damaged one can make us allocate.
inline constexpr size_t plain_bytes_max = size_t{256} << 20;

/// Turns updates into payloads and back. Each record can be read alone, given the names. Reuses its memory;
/// not for several threads at once.
class codec {
public:
  codec();
  ~codec();
  codec(const codec&) = delete;
  codec& operator=(const codec&) = delete;

  /// A record of an entry, without its place: see seal(). Stores without an index get one. Fails with
  /// too_large.
  result<record> encode(const journal_entry& entry, store_names& names);

  /// A chunk of an update, without its place and CRC. Fails with too_large.
  result<chunk_row> encode(const update& change, store_names& names);

  /// The entry of a record, equivalent to what was encoded: rows come back by store and time. Fails with
  /// damaged, whatever the bytes are; the CRC is not looked at.
  result<journal_entry> decode(const record& r, const store_names& names);

  /// The update of a chunk, likewise.
  result<update> decode(const chunk_row& c, const store_names& names);

private:
  struct contexts;

  /// Compresses `plain_` where that pays.
  result<uint8_t> pack(std::string& payload);

  /// The plain form of a payload, valid until the next call.
  result<std::string_view> unpack(uint8_t codec, std::string_view payload);

  std::unique_ptr<contexts> contexts_;
  std::string plain_;
  std::string packed_;
};

} // namespace storemon::journal
