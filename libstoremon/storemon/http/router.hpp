#pragma once

#include "storemon/http/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storemon::http {

/// Answers one request on one path.
/// @param parameter  what stood for `{}` in the path, decoded; empty for paths without.
using route_handler = std::function<boost::asio::awaitable<response>(const request&, std::string parameter)>;

/// Whether a request changes something. HEAD is safe by its definition (RFC 9110 section 9.2.1): it does not
/// follow a GET that changes something.
enum class effect : uint8_t { none, change };

/// Refuses a request before its handler sees it; nothing lets it pass.
/// @param streamed  its handler reads the body while it comes.
using route_guard = std::function<std::optional<response>(const request&, effect, bool streamed)>;

/// Finds who answers a request, by path and method.
class router {
public:
  /// @param path  as clients name it; where it has a `{}`, any text without a slash, not empty, stands there;
  ///              an encoded slash is part of it.
  /// @param body  what body it takes; nothing: a small one.
  void add(std::string method, std::string path, effect does, route_handler handler,
           std::optional<body_rule> body = std::nullopt);

  /// Has every request that a handler would answer judged first.
  void guard(route_guard judge) { guard_ = std::move(judge); }

  /// The answer of the handler added. HEAD follows a GET without effect; OPTIONS is 204 with `Allow`; another
  /// method on a known path is 405 with `Allow`; an unknown path is 404. The request must outlive the
  /// coroutine.
  boost::asio::awaitable<response> dispatch(const request& asked) const;

  /// What body the request's route takes; nothing: a small one, or there is no such route.
  std::optional<body_rule> rule_for(const request& asked) const;

private:
  struct entry {
    std::string method;
    std::string path; ///< up to its `{}`
    std::string rest; ///< after its `{}`
    bool has_parameter = false;
    effect does = effect::none;
    route_handler handler;
    std::optional<body_rule> body;

    bool takes_head() const noexcept { return method == "GET" && does == effect::none; }
  };

  /// What the entry's path leaves for its parameter; nothing when the path is not the entry's.
  static std::optional<std::string_view> match(const entry& e, std::string_view path) noexcept;

  std::vector<entry> entries_;
  route_guard guard_; ///< null: all pass
};

} // namespace storemon::http
