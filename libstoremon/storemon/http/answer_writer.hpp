#pragma once

#include "storemon/http/gzip.hpp"
#include "storemon/http/message.hpp"
#include "storemon/http/transport.hpp"

#include <optional>

namespace storemon::http {

/// Sends one answer: its head, then its body in slices, each of which gives other connections their turn.
class answer_writer {
public:
  enum class outcome {
    sent,   ///< all of it
    cut,    ///< the client is gone, or takes nothing
    broken, ///< the body could not be had to its end
  };

  answer_writer(transport& client, std::chrono::milliseconds slice_timeout)
      : client_(client), slice_timeout_(slice_timeout) {}

  /// @param keep  whether the connection stays open.
  boost::asio::awaitable<outcome> send(const response& answer, const request& asked, bool keep);

private:
  boost::asio::awaitable<outcome> send_text(std::string_view text);
  boost::asio::awaitable<outcome> send_file(const file_body& body);
  boost::asio::awaitable<outcome> send_pulled(const pulled_body& body, const request& asked);

  /// Sends a piece, in slices, chunked and compressed as wanted.
  boost::asio::awaitable<bool> put(std::string_view piece, bool last);
  boost::asio::awaitable<bool> put_slice(std::string_view slice, bool last);

  transport& client_;
  std::chrono::milliseconds slice_timeout_;
  std::string head_; ///< goes out with the first slice
  bool chunked_ = false;
  std::optional<gzip_stream> gzip_;
  std::string packed_;
};

} // namespace storemon::http
