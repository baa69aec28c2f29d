#pragma once

#include "storemon/model/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storemon {

/// Where a server listens. An IPv6 host is without its brackets.
struct server_address {
  std::string host;
  uint16_t port = 80;
};

/// Reads `http://HOST[:PORT]`, with or without a slash after it, an IPv6 HOST in brackets.
/// @returns errc::invalid_argument, with a sentence that names the text, for everything else.
result<server_address> parse_server_url(std::string_view url);

/// `?name=value&...`, all but letters, digits and `-._~` percent-encoded; nothing for no parameters.
std::string query_of(const std::vector<std::pair<std::string, std::string>>& parameters);

/// A whole answer as it came.
struct http_reply {
  int status = 0;
  std::string content_type;
  std::string content_disposition;
  std::string body;
};

struct http_limits {
  /// To connect: a host that swallows packets is noticed.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);

  /// For each write and read: a server that falls silent is noticed.
  std::chrono::milliseconds silence_timeout = std::chrono::seconds(30);

  /// From the client's making to the end of all it does: whoever waits for it gets an answer.
  std::chrono::milliseconds total_timeout = std::chrono::seconds(300);

  /// Bytes of an answer's body: bounds the memory a server can make us hold.
  uint64_t body_bytes_max = uint64_t{4} << 30;

  /// How often a request is sent again after a 503: a server that is just busy gets its time, one that is
  /// never ready does not hold us.
  int retries_max = 10;

  /// The longest pause a server's Retry-After gets.
  std::chrono::seconds retry_after_max{30};
};

/// Talks HTTP/1.1 to one server, on a connection kept between requests. Blocks; for one thread.
class http_client {
public:
  http_client(server_address to, const http_limits& limits);
  ~http_client();

  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Sends a request without a body and waits for the answer, whatever its status. A 503 is waited out as its
  /// Retry-After says and asked again. A GET is also sent again, once, when the server has closed the kept
  /// connection meanwhile; a POST always takes a connection of its own, for it must not arrive twice.
  ///
  /// @param method  GET or POST
  /// @param target  path and query, encoded
  /// @returns errc::io_failed, saying what failed at which server, when there is no whole well-formed answer
  /// in time. The lookup of a host's name is bounded by the system's resolver instead.
  result<http_reply> request(std::string_view method, const std::string& target);

  /// Waits; false, at once, when the total timeout would pass meanwhile.
  bool pause(std::chrono::milliseconds time) const;

private:
  struct link;

  std::unique_ptr<link> link_;
};

} // namespace storemon
