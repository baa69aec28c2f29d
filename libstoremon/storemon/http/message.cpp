#include "storemon/http/message.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace storemon::http {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

error malformed(std::string detail) {
  return {errc::invalid_argument, std::move(detail)};
}

/// The byte that the three characters at the front encode; nothing where they are not `%` and two hexadecimal
/// digits.
std::optional<char> encoded_byte(std::string_view text) {
  const int high = text.size() > 2 && text[0] == '%' ? hex_digit(text[1]) : -1;
  const int low = high >= 0 ? hex_digit(text[2]) : -1;
  return low < 0 ? std::nullopt : std::optional(static_cast<char>(high * 16 + low));
}

bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

result<std::string> decode(std::string_view text, bool in_query) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const bool encoded = text.front() == '%';
    const auto byte = encoded ? encoded_byte(text) : text.front();
    if (!byte)
      return malformed("the target has a '%' without two hexadecimal digits");
    const bool control = is_control(*byte);
    if (control && (in_query || !encoded))
      return malformed("the target has a control character");
    if (encoded && !in_query && (control || *byte == '/' || *byte == '%'))
      out += {'%', digits[static_cast<unsigned char>(*byte) >> 4], digits[*byte & 15]};
    else
      out += !encoded && in_query && *byte == '+' ? ' ' : *byte;
    text.remove_prefix(encoded ? 3 : 1);
  }
  return out;
}

result<std::vector<field>> parse_query(std::string_view text) {
  std::vector<field> parameters;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty())
      continue;
    const auto equals = part.find('=');
    auto name = decode(part.substr(0, equals), true);
    auto value =
        decode(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1), true);
    if (!name)
      return name.error();
    if (!value)
      return value.error();
    parameters.push_back({std::move(*name), std::move(*value)});
  }
  return parameters;
}

/// Without the scheme and authority of the absolute form, which every server has to accept.
std::string_view origin_form(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (same_letters(target.substr(0, scheme.size()), scheme)) {
      const auto end = target.find_first_of("/?", scheme.size());
      return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
    }
  return target;
}

std::string_view reason_of(int status) noexcept {
  switch (status) {
  case 200:
    return "OK";
  case 201:
    return "Created";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 206:
    return "Partial Content";
  case 304:
    return "Not Modified";
  case 400:
    return "Bad Request";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 413:
    return "Content Too Large";
  case 415:
    return "Unsupported Media Type";
  case 416:
    return "Range Not Satisfiable";
  case 417:
    return "Expectation Failed";
  case 422:
    return "Unprocessable Content";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 503:
    return "Service Unavailable";
  case 505:
    return "HTTP Version Not Supported";
  case 507:
    return "Insufficient Storage";
  }
  return "Unknown";
}

/// The `Date` field's value, made once a second on each thread.
const std::string& date_now() {
  thread_local std::time_t made_at = 0;
  thread_local std::string text;
  const auto now = std::time(nullptr);
  if (now != made_at || text.empty()) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 64> out{};
    text.assign(out.data(), std::strftime(out.data(), out.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc));
    made_at = now;
  }
  return text;
}

void add_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  // A value with a line break in it would begin a field, or an answer, of the client's own making.
  for (const char c : value)
    head += is_control(c) ? ' ' : c;
  head += "\r\n";
}

bool may_have_body(int status) noexcept {
  return status != 204 && status != 304;
}

} // namespace

bool same_letters(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string> request::header(std::string_view name) const {
  std::optional<std::string> joined;
  for (const auto& f : fields)
    if (same_letters(f.name, name)) {
      if (joined)
        joined->append(", ").append(f.value);
      else
        joined = f.value;
    }
  return joined;
}

result<target_parts> parse_target(std::string_view target) {
  if (target == "*")
    return target_parts{"*", {}};
  target = origin_form(target);
  const auto question = target.find('?');
  if (target.empty() || (target[0] != '/' && target[0] != '?'))
    return malformed("the target has to begin with '/'");
  auto path = decode(target.substr(0, question), false);
  if (!path)
    return path.error();
  auto query =
      parse_query(question == std::string_view::npos ? std::string_view() : target.substr(question + 1));
  if (!query)
    return query.error();
  return target_parts{path->empty() ? "/" : std::move(*path), std::move(*query)};
}

std::string decode_part(std::string_view part) {
  std::string out;
  while (!part.empty()) {
    const auto encoded = encoded_byte(part);
    out += encoded.value_or(part.front());
    part.remove_prefix(encoded ? 3 : 1);
  }
  return out;
}

std::string head_of(const response& answer, const request& to, bool keep) {
  std::string head;
  head.reserve(512);
  head.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  head.append(reason_of(answer.status)).append("\r\nServer: storemon\r\n");
  add_field(head, "Date", date_now());
  add_field(head, "X-Content-Type-Options", "nosniff");
  for (const auto& f : answer.fields)
    add_field(head, f.name, f.value);
  if (may_have_body(answer.status)) {
    const auto* text = std::get_if<std::string>(&answer.body);
    const auto* file = std::get_if<file_body>(&answer.body);
    if (!text && !file ? takes_chunks(to) : file && file->gzip)
      add_field(head, "Transfer-Encoding", "chunked");
    else if (text || file)
      add_field(head, "Content-Length", std::to_string(text ? text->size() : file->length));
  }
  if (!keep)
    add_field(head, "Connection", "close");
  else if (to.minor == 0)
    add_field(head, "Connection", "keep-alive");
  head += "\r\n";
  return head;
}

bool ends_connection(const response& answer, const request& to) noexcept {
  return std::holds_alternative<pulled_body>(answer.body) && !takes_chunks(to);
}

bool sends_body(const response& answer, const request& to) noexcept {
  return may_have_body(answer.status) && to.method != "HEAD";
}

} // namespace storemon::http
