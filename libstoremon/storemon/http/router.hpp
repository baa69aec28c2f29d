#pragma once

#include "storemon/http/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace storemon::http {

/// Answers one request on one path.
/// @param parameter  what stood for `{}` in the path; empty for paths without.
using route_handler = std::function<boost::asio::awaitable<response>(const request&, std::string parameter)>;

/// Whether a request changes something. HEAD is safe by its definition (RFC 9110 section 9.2.1): it does not
/// follow a GET that changes something.
enum class effect : uint8_t { none, change };

/// Finds who answers a request, by path and method.
class router {
public:
  /// @param path  as clients name it; when it ends in `/{}`, any text without a slash, not empty, stands
  /// there.
  void add(std::string method, std::string path, effect does, route_handler handler);

  /// The answer of the handler added. HEAD follows a GET without effect; OPTIONS is 204 with `Allow`; another
  /// method on a known path is 405 with `Allow`; an unknown path is 404. The request must outlive the
  /// coroutine.
  boost::asio::awaitable<response> dispatch(const request& asked) const;

private:
  struct entry {
    std::string method;
    std::string path; ///< without the trailing `{}`
    bool has_parameter = false;
    effect does = effect::none;
    route_handler handler;

    bool takes_head() const noexcept { return method == "GET" && does == effect::none; }
  };

  /// What the entry's path leaves for its parameter; nothing when the path is not the entry's.
  static std::optional<std::string_view> match(const entry& e, std::string_view path) noexcept;

  std::vector<entry> entries_;
};

} // namespace storemon::http
