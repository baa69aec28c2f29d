#pragma once

#include "storemon/model/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace storemon::http {

/// Reads gzip (RFC 1952: one member or several in a row), piece by piece, in bounded memory.
class gunzip_stream {
public:
  /// How much one call of add() decompresses.
  static constexpr size_t slice_bytes = 64 * 1024;

  /// @param bytes_max  of what is decompressed.
  /// @param ratio_max  how many times the compressed bytes may become, looked at from ratio_free_bytes on.
  gunzip_stream(uint64_t bytes_max, size_t ratio_max);
  ~gunzip_stream();
  gunzip_stream(const gunzip_stream&) = delete;
  gunzip_stream& operator=(const gunzip_stream&) = delete;

  static constexpr uint64_t ratio_free_bytes = 1024 * 1024;

  /// Takes from the front of `packed` and appends at most slice_bytes to `out`.
  /// @returns whether there is more to be had: call again before the next piece. Fails with invalid_argument
  ///          where it is no gzip, too_large over a limit.
  result<bool> add(std::string_view& packed, std::string& out);

  /// Whether what came so far is whole, and not nothing.
  bool whole() const noexcept { return ended_; }

private:
  std::unique_ptr<z_stream_s> state_;
  uint64_t bytes_max_;
  size_t ratio_max_;
  uint64_t taken_ = 0;
  uint64_t made_ = 0;
  bool ended_ = false; ///< between members
};

} // namespace storemon::http
