#include "storemon/http/upload.hpp"

#include "storemon/http/gunzip.hpp"
#include "storemon/http/status.hpp"

#include <boost/asio/this_coro.hpp>

#include <optional>

namespace storemon::http {

using boost::asio::awaitable;

namespace {

/// How much of a file is collected before it is worth a trip to the file thread.
constexpr size_t file_piece_bytes = 256 * 1024;

error cut_short() {
  return {errc::cancelled, "the body did not come to its end"};
}

error half_gzip() {
  return {errc::invalid_argument, "the gzip body ends before it is whole"};
}

/// Lets other connections have their turn.
awaitable<void> pause() {
  co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
}

/// A file that bytes come into as they were sent. Used by one thread at a time.
class incoming_file {
public:
  incoming_file(std::string path, body_coding coding, const options& limits)
      : file_(std::make_shared<spool_file>(std::move(path))) {
    if (coding == body_coding::gzip)
      gunzip_.emplace(limits.import_bytes_max, limits.gzip_ratio_max);
  }

  result<void> create() { return file_->create(); }

  result<void> write(std::string_view piece) {
    if (!gunzip_)
      return file_->write(piece);
    for (bool more = !piece.empty(); more;) {
      plain_.clear();
      const auto added = gunzip_->add(piece, plain_);
      if (!added)
        return added.error();
      more = *added;
      if (auto written = file_->write(plain_); !written)
        return written;
    }
    return {};
  }

  result<void> finish() {
    if (gunzip_ && !gunzip_->whole())
      return half_gzip();
    return file_->close();
  }

  const std::shared_ptr<spool_file>& file() const noexcept { return file_; }

private:
  std::shared_ptr<spool_file> file_;
  std::optional<gunzip_stream> gunzip_;
  std::string plain_;
};

/// Takes slices until there is a piece worth writing, or the body ends.
/// @returns whether it has not ended; nothing when it cannot be had.
awaitable<std::optional<bool>> collect(body_stream& body, std::string& piece) {
  while (piece.size() < file_piece_bytes) {
    const auto slice = co_await body.next();
    if (!slice)
      co_return std::nullopt;
    if (slice->empty())
      co_return false;
    piece.append(*slice);
  }
  co_return true;
}

} // namespace

std::optional<body_coding> coding_of(const request& asked) {
  const auto named = asked.header("Content-Encoding");
  if (!named || same_letters(*named, "identity"))
    return body_coding::identity;
  if (same_letters(*named, "gzip") || same_letters(*named, "x-gzip"))
    return body_coding::gzip;
  return std::nullopt;
}

response unknown_coding() {
  auto answer = problem(415, "unsupported_encoding", "the Content-Encoding has to be gzip or identity");
  answer.fields.push_back({"Accept-Encoding", "gzip, identity"});
  return answer;
}

awaitable<result<std::shared_ptr<const std::string>>> receive_text(const api_context& c, const request& asked,
                                                                   body_coding coding, share& held) {
  auto text = std::make_shared<std::string>();
  std::optional<gunzip_stream> gunzip;
  if (coding == body_coding::gzip)
    gunzip.emplace(c.limits.ingest_bytes_max, c.limits.gzip_ratio_max);
  for (;;) {
    const auto slice = co_await asked.stream->next();
    if (!slice)
      co_return cut_short();
    if (slice->empty())
      break;
    auto rest = *slice;
    for (bool more = true; more;) {
      const auto before = text->size();
      if (gunzip) {
        const auto added = gunzip->add(rest, *text);
        if (!added)
          co_return added.error();
        more = *added;
      } else {
        text->append(rest);
        more = false;
      }
      if (!held.take(text->size() - before, c.limits.ingest_held_bytes_max))
        co_return error{errc::overloaded, "more observations are being received than can be held"};
      if (more)
        co_await pause();
    }
  }
  if (gunzip && !gunzip->whole())
    co_return half_gzip();
  co_return text;
}

awaitable<result<std::shared_ptr<spool_file>>> receive_file(const api_context& c, const request& asked,
                                                            body_coding coding, std::string path) {
  // What runs on the file thread owns the file: this coroutine may end before it.
  const auto to = std::make_shared<incoming_file>(std::move(path), coding, c.limits);
  auto create = [to] { return to->create(); };
  const auto created = co_await c.files.run(std::move(create));
  if (!created)
    co_return created.error();
  for (bool more = true; more;) {
    std::string piece;
    const auto collected = co_await collect(*asked.stream, piece);
    if (!collected)
      co_return cut_short();
    more = *collected;
    auto write = [to, p = std::move(piece)] { return to->write(p); };
    const auto written = co_await c.files.run(std::move(write));
    if (!written)
      co_return written.error();
  }
  auto finish = [to] { return to->finish(); };
  const auto finished = co_await c.files.run(std::move(finish));
  if (!finished)
    co_return finished.error();
  co_return to->file();
}

} // namespace storemon::http
