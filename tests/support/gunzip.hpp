#pragma once

#include <zlib.h>

#include <array>
#include <stdexcept>
#include <string>

namespace storemon::test {

/// What one gzip member holds; throws when it is broken or followed by anything.
inline std::string gunzip(const std::string& packed) {
  z_stream state{};
  if (inflateInit2(&state, 15 + 16) != Z_OK)
    throw std::runtime_error("inflateInit2");
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  state.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  std::array<char, 65536> part;
  int status = Z_OK;
  while (status == Z_OK) {
    state.next_out = reinterpret_cast<Bytef*>(part.data());
    state.avail_out = static_cast<uInt>(part.size());
    status = inflate(&state, Z_NO_FLUSH);
    out.append(part.data(), part.size() - state.avail_out);
  }
  const bool whole = status == Z_STREAM_END && state.avail_in == 0;
  inflateEnd(&state);
  if (!whole)
    throw std::runtime_error("not one whole gzip member");
  return out;
}

} // namespace storemon::test
