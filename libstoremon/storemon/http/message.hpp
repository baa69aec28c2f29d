#pragma once

#include "storemon/model/error.hpp"
#include "storemon/protocol/messages.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// HTTP/1.1 in front of the actors.
namespace storemon::http {

/// A name with a value: a header field, or a parameter of a query.
struct field {
  std::string name;
  std::string value;

  friend bool operator==(const field&, const field&) = default;
};

/// What body a route takes.
struct body_rule {
  uint64_t bytes_max = 0; ///< on the wire, after removing its chunking; more is 413
  bool streamed = false;  ///< the handler reads it from request::stream; else it is in request::body
};

/// A request's body, read while it comes.
class body_stream {
public:
  virtual ~body_stream() = default;

  /// The next slice, valid until the next call; empty at the end of the body, and from then on. Nothing when
  /// the body cannot be had to its end: the connection says why, or the client is gone, and the handler's
  /// answer is not sent.
  virtual boost::asio::awaitable<std::optional<std::string_view>> next() = 0;
};

/// A request as handlers see it.
struct request {
  std::string method;        ///< as sent; methods are case-sensitive
  std::string target;        ///< as sent, for logs
  std::string path;          ///< percent-decoded, save slashes, percent signs and control characters
  std::vector<field> query;  ///< percent-decoded, in the order sent
  std::vector<field> fields; ///< header fields in the order sent
  std::string body;
  body_stream* stream = nullptr; ///< of streamed routes, and of no others
  int minor = 1;                 ///< of the version, 1.0 or 1.1
  bool keep_alive = true;

  /// The values of all fields of that name (whose case does not matter), joined by `, `; nothing when there
  /// is none.
  std::optional<std::string> header(std::string_view name) const;
};

/// A stretch of a finished report, served without being copied.
struct file_body {
  std::shared_ptr<const protocol::report_file> file;
  size_t offset = 0;
  size_t length = 0;
  bool gzip = false; ///< compressed while it is sent, so its length is not known beforehand
};

/// A body of unknown length, made while it is sent.
struct pulled_body {
  /// The next piece; null or empty: that was all. A failure breaks the answer off, so that the client sees
  /// that it is not whole.
  std::function<boost::asio::awaitable<result<std::shared_ptr<const std::string>>>()> next;
  bool gzip = false; ///< compressed while it is sent
};

/// An answer. `Server`, `Date`, `Content-Length` and the like are added by the server.
struct response {
  int status = 200;
  std::vector<field> fields;
  std::variant<std::string, file_body, pulled_body> body;
};

/// The two parts of a request's target that matter here.
struct target_parts {
  std::string path;
  std::vector<field> query;
};

/// Reads a target in origin form (`/path?query`), absolute form (`http://host/path?query`) or `*`. Encoded
/// slashes, percent signs and control characters stay encoded in the path, as `%2F`, `%25` and `%0A`, so that
/// it can be divided at its slashes, be told in a line, and its parts be read by decode_part(). In the query
/// `+` is a space.
/// Fails with invalid_argument on any other form, a `%` without two hexadecimal digits, or a control
/// character, in the query an encoded one, too.
result<target_parts> parse_target(std::string_view target);

/// A part of such a path, with what stayed encoded there as it was meant: any bytes.
std::string decode_part(std::string_view part);

/// Whether two texts are the same but for the case of ASCII letters.
bool same_letters(std::string_view a, std::string_view b) noexcept;

/// Sent to a client that waits to be told to go on.
inline constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

/// Whether the client understands the chunked coding; if not, a body of unknown length ends with the
/// connection.
inline bool takes_chunks(const request& asked) noexcept {
  return asked.minor > 0;
}

/// Whether the answer ends with the connection.
bool ends_connection(const response& answer, const request& to) noexcept;

/// An answer's status line and fields up to the empty line.
/// @param to    the request answered; its method and version shape the answer.
/// @param keep  whether the connection stays open; not of an answer that ends it.
std::string head_of(const response& answer, const request& to, bool keep);

/// Whether an answer to `to` has a body on the wire.
bool sends_body(const response& answer, const request& to) noexcept;

} // namespace storemon::http
