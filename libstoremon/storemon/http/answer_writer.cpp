#include "storemon/http/answer_writer.hpp"

#include <spdlog/spdlog.h>

#include <array>

namespace storemon::http {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

/// How much of a body is handed to the kernel, or compressed, before other connections get their turn.
constexpr size_t slice_bytes = 64 * 1024;

asio::const_buffer buffer_of(std::string_view text) {
  return {text.data(), text.size()};
}

} // namespace

awaitable<answer_writer::outcome> answer_writer::send(const response& answer, const request& asked,
                                                      bool keep) {
  head_ = head_of(answer, asked, keep);
  auto done = outcome::cut;
  const auto* file = std::get_if<file_body>(&answer.body);
  const auto* pulled = std::get_if<pulled_body>(&answer.body);
  if (!sends_body(answer, asked))
    done = co_await send_text({});
  else if (file)
    done = co_await send_file(*file);
  else if (pulled)
    done = co_await send_pulled(*pulled, asked);
  else
    done = co_await send_text(std::get<std::string>(answer.body));
  co_return done;
}

awaitable<answer_writer::outcome> answer_writer::send_text(std::string_view text) {
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head_), buffer_of(text)};
  const bool sent = co_await client_.write(buffers, slice_timeout_);
  co_return sent ? outcome::sent : outcome::cut;
}

awaitable<answer_writer::outcome> answer_writer::send_file(const file_body& body) {
  if (body.gzip)
    gzip_.emplace();
  chunked_ = body.gzip;
  const auto whole = std::string_view(body.file->bytes).substr(body.offset, body.length);
  const bool sent = co_await put(whole, true);
  co_return sent ? outcome::sent : outcome::cut;
}

awaitable<answer_writer::outcome> answer_writer::send_pulled(const pulled_body& body, const request& asked) {
  if (body.gzip)
    gzip_.emplace();
  chunked_ = takes_chunks(asked);
  for (bool more = true; more;) {
    const auto piece = co_await body.next();
    if (!piece) {
      spdlog::warn("http: an answer is broken off: {}", piece.error().detail);
      co_return outcome::broken;
    }
    more = *piece && !(*piece)->empty();
    std::string_view text;
    if (more)
      text = **piece;
    const bool sent = co_await put(text, !more);
    if (!sent)
      co_return outcome::cut;
  }
  co_return outcome::sent;
}

awaitable<bool> answer_writer::put(std::string_view piece, bool last) {
  do {
    const auto slice = piece.substr(0, slice_bytes);
    piece.remove_prefix(slice.size());
    const bool sent = co_await put_slice(slice, last && piece.empty());
    if (!sent)
      co_return false;
  } while (!piece.empty());
  co_return true;
}

awaitable<bool> answer_writer::put_slice(std::string_view slice, bool last) {
  if (gzip_) {
    packed_.clear();
    gzip_->add(slice, last, packed_);
    slice = packed_;
  }
  std::string_view end;
  if (chunked_) {
    // A chunk of no bytes would end the body, so a slice that gave none yet is not sent.
    if (!slice.empty())
      head_ += fmt::format("{:x}\r\n", slice.size());
    end = slice.empty() ? (last ? "0\r\n\r\n" : "") : (last ? "\r\n0\r\n\r\n" : "\r\n");
  }
  const std::array<asio::const_buffer, 3> buffers{asio::buffer(head_), buffer_of(slice), buffer_of(end)};
  const bool sent = co_await client_.write(buffers, slice_timeout_);
  head_.clear();
  co_return sent;
}

} // namespace storemon::http
