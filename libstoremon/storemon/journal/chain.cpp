#include "storemon/journal/chain.hpp"

#include "storemon/journal/crc32c.hpp"

#include <array>
#include <cstring>

namespace storemon::journal {

namespace {

/// CRC over fields in little-endian order, then bytes. The lengths of all fields are fixed, so no two values
/// read alike.
template <class... Fields>
uint32_t crc_over(std::string_view bytes, Fields... fields) noexcept {
  std::array<char, (sizeof(Fields) + ... + 0)> head;
  char* at = head.data();
  const auto put = [&at](auto field) {
    std::memcpy(at, &field, sizeof field);
    at += sizeof field;
  };
  (put(fields), ...);
  return crc32c(bytes, crc32c({head.data(), head.size()}));
}

} // namespace

uint32_t crc_of(const record& r) noexcept {
  return crc_over(r.payload, r.partition, r.seq, r.epoch, r.kind, r.codec, r.count, r.oldest, r.newest,
                  r.written.time_since_epoch().count(), r.prev_crc);
}

uint32_t crc_of(const chunk_row& c) noexcept {
  return crc_over(c.payload, c.partition, c.number, c.generation, c.kind, c.codec, c.count);
}

uint32_t crc_of(const manifest& m) noexcept {
  return crc_over({}, m.partition, m.generation, m.epoch, m.through_seq, m.through_crc, m.observations,
                  m.state_hash, m.chunks);
}

uint32_t crc_of(uint32_t partition, const store_name& name) noexcept {
  return crc_over(name.name, partition, name.index);
}

void seal(record& r, uint32_t partition, uint64_t epoch, ownership& end) noexcept {
  r.partition = partition;
  r.epoch = epoch;
  r.seq = end.next_seq;
  r.prev_crc = end.last_crc;
  r.crc = crc_of(r);
  ++end.next_seq;
  end.last_crc = r.crc;
}

bool continues(const append& a, const ownership& end) noexcept {
  auto seq = end.next_seq;
  auto prev = end.last_crc;
  for (const auto& r : a.records) {
    if (r.partition != a.partition || r.epoch != a.epoch || r.seq != seq || r.prev_crc != prev)
      return false;
    ++seq;
    prev = r.crc;
  }
  return true;
}

result<void> follow(const record& r, uint32_t partition, ownership& end) {
  const auto damaged = [&](const std::string& what) {
    return error{errc::damaged, "record " + std::to_string(end.next_seq) + " of partition " +
                                    std::to_string(partition) + " " + what};
  };
  if (r.seq != end.next_seq)
    return damaged("is missing: " + std::to_string(r.seq) + " follows");
  if (r.partition != partition || !crc_fits(r.crc, crc_of(r)))
    return damaged("fails its CRC");
  if (r.prev_crc != end.last_crc)
    return damaged("does not follow the one before");
  if (r.epoch < end.epoch)
    return damaged("was written under an epoch that had ended");
  end.epoch = r.epoch;
  ++end.next_seq;
  end.last_crc = r.crc;
  return {};
}

} // namespace storemon::journal
