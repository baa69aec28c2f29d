#include "storemon/http/gzip.hpp"

#include <zlib.h>

#include <array>
#include <new>

namespace storemon::http {

gzip_stream::gzip_stream() : state_(std::make_unique<z_stream>()) {
  constexpr int gzip_window_bits = 15 + 16;
  constexpr int memory_level = 8;
  // The lowest level: the thread that compresses serves all other connections as well.
  if (deflateInit2(state_.get(), Z_BEST_SPEED, Z_DEFLATED, gzip_window_bits, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc(); // the one way in which constant, valid parameters can fail
}

gzip_stream::~gzip_stream() {
  deflateEnd(state_.get());
}

void gzip_stream::add(std::string_view piece, bool last, std::string& out) {
  std::array<char, 16 * 1024> ready;
  state_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data())); // zlib reads only
  state_->avail_in = static_cast<uInt>(piece.size());
  do {
    state_->next_out = reinterpret_cast<Bytef*>(ready.data());
    state_->avail_out = static_cast<uInt>(ready.size());
    deflate(state_.get(), last ? Z_FINISH : Z_NO_FLUSH);
    out.append(ready.data(), ready.size() - state_->avail_out);
  } while (state_->avail_out == 0);
}

} // namespace storemon::http
