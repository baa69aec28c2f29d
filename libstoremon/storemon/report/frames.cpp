#include "storemon/report/frames.hpp"

#include <zstd.h>

#include <memory>
#include <new>

namespace storemon::report {

namespace {

/// The lowest that still finds what rows repeat: a client waits for it.
constexpr int level = 1;

struct context_free {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

/// The length that the frames claim; damaged where they are no frames, or claim more than `bytes_max`.
result<uint64_t> length_of(std::string_view frames, uint64_t bytes_max) {
  uint64_t length = 0;
  while (!frames.empty()) {
    const auto frame = ZSTD_findFrameCompressedSize(frames.data(), frames.size());
    const auto content = ZSTD_getFrameContentSize(frames.data(), frames.size());
    if (ZSTD_isError(frame) || content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN)
      return error{errc::damaged, "the bytes kept are no zstd frames"};
    if (content > bytes_max - length)
      return error{errc::damaged, "the bytes kept are of a longer text"};
    length += content;
    frames.remove_prefix(frame);
  }
  return length;
}

} // namespace

std::string compress(std::string_view piece) {
  thread_local const std::unique_ptr<ZSTD_CCtx, context_free> context(ZSTD_createCCtx());
  if (!context)
    throw std::bad_alloc();
  std::string frame(ZSTD_compressBound(piece.size()), '\0');
  const auto size =
      ZSTD_compressCCtx(context.get(), frame.data(), frame.size(), piece.data(), piece.size(), level);
  if (ZSTD_isError(size)) // there is room enough, so it can only want memory
    throw std::bad_alloc();
  frame.resize(size);
  return frame;
}

result<std::string> expand(std::string_view frames, uint64_t bytes) {
  const auto length = length_of(frames, bytes);
  if (!length)
    return length.error();
  if (*length != bytes)
    return error{errc::damaged, "the bytes kept are of a shorter text"};
  std::string text(bytes, '\0');
  const auto size = ZSTD_decompress(text.data(), text.size(), frames.data(), frames.size());
  if (ZSTD_isError(size))
    return error{errc::damaged, std::string("the bytes kept cannot be expanded: ") + ZSTD_getErrorName(size)};
  if (size != bytes)
    return error{errc::damaged, "the bytes kept are of a shorter text"};
  return text;
}

} // namespace storemon::report
