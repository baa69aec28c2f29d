#include "storemon/http/gunzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace storemon::http {

gunzip_stream::gunzip_stream(uint64_t bytes_max, size_t ratio_max)
    : state_(std::make_unique<z_stream>()), bytes_max_(bytes_max), ratio_max_(ratio_max) {
  constexpr int gzip_window_bits = 15 + 16;
  if (inflateInit2(state_.get(), gzip_window_bits) != Z_OK)
    throw std::bad_alloc(); // the one way in which constant, valid parameters can fail
}

gunzip_stream::~gunzip_stream() {
  inflateEnd(state_.get());
}

result<bool> gunzip_stream::add(std::string_view& packed, std::string& out) {
  if (ended_ && packed.empty())
    return false;
  if (ended_)
    inflateReset(state_.get());
  ended_ = false;
  const auto before = out.size();
  out.resize(before + slice_bytes);
  const auto given = std::min<size_t>(packed.size(), std::numeric_limits<uInt>::max());
  state_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data())); // zlib reads only
  state_->avail_in = static_cast<uInt>(given);
  state_->next_out = reinterpret_cast<Bytef*>(out.data() + before);
  state_->avail_out = static_cast<uInt>(slice_bytes);
  const int status = inflate(state_.get(), Z_NO_FLUSH);
  const auto made = slice_bytes - state_->avail_out;
  const auto taken = given - state_->avail_in;
  out.resize(before + made);
  packed.remove_prefix(taken);
  made_ += made;
  taken_ += taken;
  ended_ = status == Z_STREAM_END;
  // Z_BUF_ERROR says only that there was nothing to do.
  if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
    return error{errc::invalid_argument, "the body is not whole and sound gzip"};
  if (made_ > bytes_max_)
    return error{errc::too_large, "decompressed, the body may have " + std::to_string(bytes_max_) + " bytes"};
  if (made_ > ratio_free_bytes && made_ / ratio_max_ > taken_)
    return error{errc::too_large,
                 "the body becomes more than " + std::to_string(ratio_max_) + " times its compressed bytes"};
  return !packed.empty() || state_->avail_out == 0;
}

} // namespace storemon::http
