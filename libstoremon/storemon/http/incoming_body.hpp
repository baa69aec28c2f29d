#pragma once

#include "storemon/http/message.hpp"
#include "storemon/http/options.hpp"
#include "storemon/http/request_reader.hpp"
#include "storemon/http/transport.hpp"

#include <optional>

namespace storemon::http {

/// The body of a request whose route reads it while it comes. What is not read stays in the socket, so the
/// client is slowed to the speed of the reader.
///
/// Slowness: no slice may take longer than options::body_timeout, and all of it no longer than that plus the
/// time options::body_rate_min grants for the bytes received. The time between slices is the reader's own.
class incoming_body final : public body_stream {
public:
  /// @param reader  past the head of a request of a streamed route.
  incoming_body(transport& client, request_reader& reader, const options& limits)
      : client_(client), reader_(reader), limits_(limits) {}

  boost::asio::awaitable<std::optional<std::string_view>> next() override;

  /// Whether all of the body was received, so that what follows is the next request.
  bool whole() const noexcept { return at_ == request_reader::phase::done; }

  /// Whether the body cannot be had.
  bool failed() const noexcept { return failed_; }

  /// What to answer when it has failed; nothing: the client is gone.
  const std::optional<response>& refusal() const noexcept { return refusal_; }

private:
  boost::asio::awaitable<bool> receive();
  bool fail(std::optional<response> refusal);

  transport& client_;
  request_reader& reader_;
  const options& limits_;
  request_reader::phase at_ = request_reader::phase::body;
  std::string slice_;
  uint64_t received_ = 0;
  transport::clock::duration waited_{};
  bool continued_ = false;
  bool failed_ = false;
  std::optional<response> refusal_;
};

} // namespace storemon::http
