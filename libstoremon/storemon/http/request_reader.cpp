#include "storemon/http/request_reader.hpp"

#include "storemon/http/status.hpp"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>

namespace storemon::http {

namespace beast = boost::beast::http;

namespace {

/// A body in a string that grows with what comes. Beast's string_body makes room for all that a client says
/// it will send.
struct grown_body {
  using value_type = std::string;

  struct reader {
    template <bool is_request, class Fields>
    reader(beast::header<is_request, Fields>&, value_type& to) : body(to) {}

    void init(const boost::optional<uint64_t>&, boost::system::error_code& failure) { failure = {}; }

    template <class Buffers>
    size_t put(const Buffers& buffers, boost::system::error_code& failure) {
      failure = {};
      size_t taken = 0;
      for (const auto part : boost::beast::buffers_range_ref(buffers)) {
        body.append(static_cast<const char*>(part.data()), part.size());
        taken += part.size();
      }
      return taken;
    }

    void finish(boost::system::error_code& failure) { failure = {}; }

    value_type& body;
  };
};

std::string_view view(boost::beast::string_view text) noexcept {
  return {text.data(), text.size()};
}

/// Whether the line is two words and `HTTP/` digit `.` digit: a request line, though perhaps of another
/// version.
bool names_version(std::string_view line) noexcept {
  constexpr std::string_view pattern = " HTTP/0.0";
  if (line.size() < pattern.size() || std::count(line.begin(), line.end(), ' ') != 2)
    return false;
  line.remove_prefix(line.size() - pattern.size());
  return std::equal(line.begin(), line.end(), pattern.begin(),
                    [](char c, char p) { return p == '0' ? c >= '0' && c <= '9' : c == p; });
}

/// Whether a part of a chunked body has to wait for more. Beast 1.81 notes that it has read the line of the
/// last chunk, and when asked again asserts (basic_parser.ipp, "n >= 5") that a whole empty chunk is there,
/// which after "0 CR LF" and one byte more it is not.
bool too_short_for_beast(std::string_view part) noexcept {
  constexpr std::string_view empty_chunk = "0\r\n\r\n";
  return part.size() < empty_chunk.size() && part.starts_with('0') && part.find("\r\n") != part.npos;
}

} // namespace

struct request_reader::beast_parser {
  beast::request_parser<grown_body> value;
};

request_reader::request_reader(const options& limits, body_rule_finder rules)
    : limits_(limits), rules_(std::move(rules)) {}

request_reader::~request_reader() = default;

request_reader::phase request_reader::read(std::string& bytes) {
  return parser_ ? read_body(bytes) : read_head(bytes);
}

request_reader::phase request_reader::refuse(int status, const char* code, const std::string& detail) {
  refusal_ = problem(status, code, detail);
  return phase::refused;
}

request_reader::phase request_reader::read_head(std::string& bytes) {
  // Empty lines before a request come from old clients that end a body with one (RFC 9112 section 2.2).
  for (; bytes.starts_with("\r\n"); checked_ = 0)
    bytes.erase(0, 2);
  const auto end = bytes.find("\r\n\r\n", checked_ < 3 ? 0 : checked_ - 3);
  const auto head_bytes = end == std::string::npos ? bytes.size() : end + 4;
  for (; checked_ < std::min(head_bytes, limits_.header_bytes_max); ++checked_) {
    const auto c = static_cast<unsigned char>(bytes[checked_]);
    const auto before = checked_ == 0 ? '\0' : bytes[checked_ - 1];
    if ((before == '\r') != (c == '\n'))
      return refuse(400, "bad_request", "a line has to end in CR LF");
    if ((c == ' ' || c == '\t') && before == '\n')
      return refuse(400, "bad_request", "a field continued on the next line is not accepted");
    if ((c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f)
      return refuse(400, "bad_request", "a control character stands in the request line or a field");
  }
  if (head_bytes > limits_.header_bytes_max)
    return refuse(431, "header_too_large",
                  "the request line and fields may have " + std::to_string(limits_.header_bytes_max) +
                      " bytes");
  if (end == std::string::npos)
    return phase::head;

  parser_ = std::make_unique<beast_parser>();
  auto& parser = parser_->value;
  parser.header_limit(static_cast<uint32_t>(head_bytes));
  parser.body_limit(boost::none); // the route's limit is not known yet
  boost::system::error_code failure;
  const auto used = parser.put(boost::asio::buffer(bytes.data(), head_bytes), failure);
  const auto line = std::string_view(bytes).substr(0, bytes.find("\r\n"));
  request_.target = std::string(view(parser.get().target()));
  request_.method = std::string(view(parser.get().method_string()));
  if (failure == beast::error::bad_version && names_version(line))
    return refuse(505, "version_not_supported", "HTTP/1.0 and HTTP/1.1 are spoken here");
  if (failure)
    return refuse(400, "bad_request", "malformed request: " + failure.message());
  bytes.erase(0, used);
  if (const auto checked = check_fields(); checked == phase::refused)
    return checked;
  rule_ = rules_ ? rules_(request_) : body_rule{limits_.body_bytes_max, false};
  if (const auto checked = check_length(); checked == phase::refused)
    return checked;
  return read_body(bytes);
}

request_reader::phase request_reader::check_fields() {
  const auto& parser = parser_->value;
  const auto& head = parser.get();
  request_.minor = static_cast<int>(head.version() % 10);
  request_.keep_alive = parser.keep_alive();
  for (const auto& f : head)
    request_.fields.push_back({std::string(view(f.name_string())), std::string(view(f.value()))});
  if (request_.fields.size() > limits_.header_fields_max)
    return refuse(431, "header_too_large",
                  "a request may have " + std::to_string(limits_.header_fields_max) + " fields");
  const auto lengths = head.count(beast::field::content_length);
  const auto codings = head.count(beast::field::transfer_encoding);
  if (lengths > 1 || (lengths == 1 && codings > 0))
    return refuse(400, "bad_request", "the length of the body is given twice");
  if (const auto length = request_.header("Content-Length");
      length && length->find_first_not_of("0123456789") != std::string::npos)
    return refuse(400, "bad_request", "Content-Length has to be one number");
  if (codings > 0 && request_.minor == 0)
    return refuse(400, "bad_request", "HTTP/1.0 has no Transfer-Encoding");
  if (codings > 0 && !same_letters(*request_.header("Transfer-Encoding"), "chunked"))
    return refuse(501, "not_implemented", "the only Transfer-Encoding known here is chunked");
  const auto hosts = head.count(beast::field::host);
  if (hosts > 1 || (hosts == 0 && request_.minor == 1))
    return refuse(400, "bad_request", "exactly one Host field is needed");
  if (const auto expected = request_.header("Expect"); expected && request_.minor == 1) {
    if (!same_letters(*expected, "100-continue"))
      return refuse(417, "expectation_failed", "the only expectation met here is 100-continue");
    expects_continue_ = true;
  }
  auto parts = parse_target(request_.target);
  if (!parts)
    return refuse(400, "bad_request", parts.error().detail);
  request_.path = std::move(parts->path);
  request_.query = std::move(parts->query);
  return phase::body;
}

request_reader::phase request_reader::check_length() {
  auto& parser = parser_->value;
  parser.body_limit(rule_.bytes_max); // of chunks; a length was looked at when there was no limit
  if (const auto length = parser.content_length(); length && *length > rule_.bytes_max)
    return refuse_length();
  return phase::body;
}

request_reader::phase request_reader::refuse_length() {
  return refuse(413, "body_too_large", "the body may have " + std::to_string(rule_.bytes_max) + " bytes");
}

request_reader::phase request_reader::read_body(std::string& bytes) {
  auto& parser = parser_->value;
  parser.eager(true);
  // Data of a body is taken at once; the lines between chunks and after the last wait to be whole. Of those
  // the parser sees no more than they may have, so that their length counts alike however they come.
  const auto sight = parser.chunked() ? limits_.header_bytes_max : std::string::npos;
  size_t used = 0;
  for (bool moved = true; moved && !parser.is_done() && used < bytes.size();) {
    const auto seen = std::string_view(bytes).substr(used, sight);
    if (parser.chunked() && too_short_for_beast(seen))
      break;
    boost::system::error_code failure;
    const auto taken = parser.put(boost::asio::buffer(seen), failure);
    if (failure == beast::error::body_limit)
      return refuse_length();
    if (failure && failure != beast::error::need_more)
      return refuse(400, "bad_request", "malformed body: " + failure.message());
    used += taken;
    moved = taken > 0;
    if (!moved && seen.size() == sight)
      return refuse(431, "header_too_large", "a line of the chunked coding is too long");
  }
  bytes.erase(0, used);
  if (!parser.is_done())
    return phase::body;
  if (!rule_.streamed)
    request_.body = std::move(parser.get().body());
  return phase::done;
}

void request_reader::take_slice(std::string& slice) {
  slice.clear();
  slice.swap(parser_->value.get().body());
}

} // namespace storemon::http
