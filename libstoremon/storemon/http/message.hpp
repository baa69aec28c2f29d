#pragma once

#include "storemon/model/error.hpp"
#include "storemon/protocol/messages.hpp"

#include <cstddef>
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

/// A request as handlers see it.
struct request {
  std::string method;        ///< as sent; methods are case-sensitive
  std::string target;        ///< as sent, for logs
  std::string path;          ///< percent-decoded, save encoded slashes
  std::vector<field> query;  ///< percent-decoded, in the order sent
  std::vector<field> fields; ///< header fields in the order sent
  std::string body;
  int minor = 1; ///< of the version, 1.0 or 1.1
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

/// An answer. `Server`, `Date`, `Content-Length` and the like are added by the server.
struct response {
  int status = 200;
  std::vector<field> fields;
  std::variant<std::string, file_body> body;
};

/// The two parts of a request's target that matter here.
struct target_parts {
  std::string path;
  std::vector<field> query;
};

/// Reads a target in origin form (`/path?query`), absolute form (`http://host/path?query`) or `*`. An encoded
/// slash stays encoded in the path, so that it never divides it. In the query `+` is a space.
/// Fails with invalid_argument on any other form, a `%` without two hexadecimal digits, or a control
/// character.
result<target_parts> parse_target(std::string_view target);

/// Whether two texts are the same but for the case of ASCII letters.
bool same_letters(std::string_view a, std::string_view b) noexcept;

/// An answer's status line and fields up to the empty line.
/// @param to    the request answered; its method and version shape the answer.
/// @param keep  whether the connection stays open.
std::string head_of(const response& answer, const request& to, bool keep);

/// Whether an answer to `to` has a body on the wire.
bool sends_body(const response& answer, const request& to) noexcept;

} // namespace storemon::http
