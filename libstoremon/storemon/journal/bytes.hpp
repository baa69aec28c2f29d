#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// Numbers and texts in a row of bytes.
namespace storemon::journal {

/// Small numbers of either sign become small ones without.
inline uint64_t zigzag(int64_t n) noexcept {
  return (static_cast<uint64_t>(n) << 1) ^ static_cast<uint64_t>(n >> 63);
}

inline int64_t unzigzag(uint64_t n) noexcept {
  return static_cast<int64_t>((n >> 1) ^ (~(n & 1) + 1));
}

inline constexpr size_t varint_bytes_max = 10;

/// Appends to a text.
class byte_writer {
public:
  explicit byte_writer(std::string& out) noexcept : out_(out) {}

  void byte(uint8_t b) { out_.push_back(static_cast<char>(b)); }

  /// Seven bits a byte, the low ones first; the high bit says that more follow.
  void varint(uint64_t n) {
    char text[varint_bytes_max];
    out_.append(text, put_varint(text, n));
  }

  void number(int64_t n) { varint(zigzag(n)); }

  void word(uint64_t n) { out_.append(reinterpret_cast<const char*>(&n), sizeof n); }

  void text(std::string_view t) {
    varint(t.size());
    out_.append(t);
  }

  /// Writes a varint to where there is room for one; the number of its bytes.
  static size_t put_varint(char* to, uint64_t n) noexcept {
    size_t length = 0;
    for (; n >= 0x80; n >>= 7)
      to[length++] = static_cast<char>(n | 0x80);
    to[length++] = static_cast<char>(n);
    return length;
  }

private:
  std::string& out_;
};

/// Reads what a byte_writer wrote, and never beyond the end: what is missing reads as zero, and ok() is false
/// from then on.
class byte_reader {
public:
  explicit byte_reader(std::string_view in) noexcept : at_(in.data()), end_(in.data() + in.size()) {}

  bool ok() const noexcept { return ok_; }

  /// Whether all was read, and nothing was missing.
  bool done() const noexcept { return ok_ && at_ == end_; }

  size_t left() const noexcept { return static_cast<size_t>(end_ - at_); }

  /// For what was read and cannot be.
  void fail() noexcept {
    ok_ = false;
    at_ = end_;
  }

  uint8_t byte() noexcept {
    if (at_ == end_) {
      fail();
      return 0;
    }
    return static_cast<uint8_t>(*at_++);
  }

  uint64_t varint() noexcept {
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 7 * varint_bytes_max && at_ != end_; shift += 7) {
      const auto b = static_cast<uint8_t>(*at_++);
      n |= static_cast<uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) {
        if (shift == 63 && b > 1)
          break; // more than 64 bits
        return n;
      }
    }
    fail();
    return 0;
  }

  int64_t number() noexcept { return unzigzag(varint()); }

  /// A count of things of which each takes at least `bytes_each` bytes: never more than there can be.
  size_t count(size_t bytes_each) noexcept {
    const auto n = varint();
    if (n > left() / bytes_each) {
      fail();
      return 0;
    }
    return static_cast<size_t>(n);
  }

  uint64_t word() noexcept {
    uint64_t n = 0;
    if (left() < sizeof n) {
      fail();
      return 0;
    }
    std::memcpy(&n, at_, sizeof n);
    at_ += sizeof n;
    return n;
  }

  std::string_view text() noexcept {
    const auto length = count(1);
    const std::string_view t(at_, length);
    at_ += length;
    return t;
  }

private:
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

} // namespace storemon::journal
