#include "storemon/journal/codec.hpp"

#include "storemon/journal/update_bytes.hpp"

#include <zstd.h>

#include <new>

namespace storemon::journal {

namespace {

/// The fastest level: records are written far more often than they are read.
constexpr int zstd_level = 1;

/// No frame expands more: 128 KiB of one byte take a block of four.
constexpr size_t zstd_ratio_max = 32768;

template <class Row>
error damaged(const char* what, const Row& row, const std::string& number) {
  return {errc::damaged, std::string(what) + " " + number + " of partition " + std::to_string(row.partition) +
                             " cannot be read"};
}

error damaged(const record& r) {
  return damaged("record", r, std::to_string(r.seq));
}

error damaged(const chunk_row& c) {
  return damaged("chunk", c, std::to_string(c.number));
}

/// Fills what records and chunks have in common.
template <class Row>
void describe(Row& row, const update& change, const update_summary& sum) {
  row.kind = static_cast<uint8_t>(change.index());
  row.count = static_cast<uint32_t>(sum.count);
}

} // namespace

struct codec::contexts {
  ZSTD_CCtx* write = ZSTD_createCCtx();
  ZSTD_DCtx* read = ZSTD_createDCtx();

  contexts() {
    if (!write || !read)
      throw std::bad_alloc();
  }

  ~contexts() {
    ZSTD_freeCCtx(write);
    ZSTD_freeDCtx(read);
  }

  contexts(const contexts&) = delete;
  contexts& operator=(const contexts&) = delete;
};

codec::codec() : contexts_(std::make_unique<contexts>()) {}

codec::~codec() = default;

result<uint8_t> codec::pack(std::string& payload) {
  if (plain_.size() > plain_bytes_max)
    return error{errc::too_large,
                 "a change of " + std::to_string(plain_.size()) + " bytes is more than a record may hold"};
  if (plain_.size() >= zstd_from_bytes) {
    if (const auto bound = ZSTD_compressBound(plain_.size()); packed_.size() < bound)
      packed_.resize(bound);
    const auto size = ZSTD_compressCCtx(contexts_->write, packed_.data(), packed_.size(), plain_.data(),
                                        plain_.size(), zstd_level);
    if (!ZSTD_isError(size) && size < plain_.size()) {
      payload.assign(packed_, 0, size);
      return static_cast<uint8_t>(coding::zstd);
    }
  }
  payload.assign(plain_);
  return static_cast<uint8_t>(coding::plain);
}

result<std::string_view> codec::unpack(uint8_t codec, std::string_view payload) {
  const error unreadable{errc::damaged, "a payload cannot be unpacked"};
  if (codec == static_cast<uint8_t>(coding::plain))
    return payload;
  if (codec != static_cast<uint8_t>(coding::zstd))
    return unreadable;
  const auto size = ZSTD_getFrameContentSize(payload.data(), payload.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > plain_bytes_max ||
      size / zstd_ratio_max > payload.size())
    return unreadable;
  if (plain_.size() < size)
    plain_.resize(size);
  const auto got = ZSTD_decompressDCtx(contexts_->read, plain_.data(), size, payload.data(), payload.size());
  if (ZSTD_isError(got) || got != size)
    return unreadable;
  return std::string_view(plain_.data(), size);
}

result<record> codec::encode(const journal_entry& entry, store_names& names) {
  plain_.clear();
  byte_writer out(plain_);
  write(out, entry.mark);
  const auto sum = write(plain_, entry.change, names);
  record r;
  describe(r, entry.change, sum);
  r.oldest = sum.oldest;
  r.newest = sum.newest;
  r.written = entry.written;
  const auto packed = pack(r.payload);
  if (!packed)
    return packed.error();
  r.codec = *packed;
  return r;
}

result<chunk_row> codec::encode(const update& change, store_names& names) {
  plain_.clear();
  chunk_row c;
  describe(c, change, write(plain_, change, names));
  const auto packed = pack(c.payload);
  if (!packed)
    return packed.error();
  c.codec = *packed;
  return c;
}

result<journal_entry> codec::decode(const record& r, const store_names& names) {
  const auto plain = unpack(r.codec, r.payload);
  if (!plain)
    return damaged(r);
  byte_reader in(*plain);
  journal_entry entry;
  entry.mark = read_mark(in);
  entry.written = r.written;
  size_t count = 0;
  auto change = read_update(in, r.kind, names, count);
  if (!change || count != r.count)
    return damaged(r);
  entry.change = std::move(*change);
  return entry;
}

result<update> codec::decode(const chunk_row& c, const store_names& names) {
  const auto plain = unpack(c.codec, c.payload);
  if (!plain)
    return damaged(c);
  byte_reader in(*plain);
  size_t count = 0;
  auto change = read_update(in, c.kind, names, count);
  if (!change || count != c.count)
    return damaged(c);
  return std::move(*change);
}

} // namespace storemon::journal
