#include "storemon/http/incoming_body.hpp"

#include "storemon/http/status.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>

namespace storemon::http {

namespace asio = boost::asio;
using phase = request_reader::phase;
using std::chrono::milliseconds;

asio::awaitable<std::optional<std::string_view>> incoming_body::next() {
  slice_.clear();
  while (!failed_) {
    at_ = at_ == phase::done ? phase::done : reader_.read(client_.received);
    reader_.take_slice(slice_);
    if (at_ == phase::refused) {
      fail(reader_.refusal());
    } else if (!slice_.empty() || at_ == phase::done) {
      received_ += slice_.size();
      co_return slice_;
    } else {
      co_await receive();
    }
  }
  co_return std::nullopt;
}

asio::awaitable<bool> incoming_body::receive() {
  if (reader_.expects_continue() && !continued_ && received_ == 0 && client_.received.empty()) {
    continued_ = true;
    const std::array<asio::const_buffer, 1> go_on{asio::buffer(continue_line)};
    const bool told = co_await client_.write(go_on, limits_.write_timeout);
    if (!told)
      co_return fail(std::nullopt);
  }
  const auto granted = limits_.body_timeout + milliseconds(1000 * received_ / limits_.body_rate_min) -
                       std::chrono::duration_cast<milliseconds>(waited_);
  const auto begin = transport::clock::now();
  client_.begin_phase(std::clamp(granted, milliseconds(0), limits_.body_timeout));
  const auto failure = co_await client_.fill();
  client_.end_phase();
  waited_ += transport::clock::now() - begin;
  if (!failure)
    co_return true;
  if (client_.expired())
    co_return fail(late_request());
  if (failure == asio::error::eof)
    co_return fail(cut_request());
  co_return fail(std::nullopt);
}

bool incoming_body::fail(std::optional<response> refusal) {
  failed_ = true;
  refusal_ = std::move(refusal);
  return false;
}

} // namespace storemon::http
