#include "storemon/http/status.hpp"

#include "storemon/http/json_text.hpp"

#include <boost/json.hpp>

namespace storemon::http {

namespace json = boost::json;

namespace {

/// Length of the well-formed UTF-8 sequence at the front of `text` (Unicode 15, table 3-7); 0 when there is
/// none.
size_t sequence_length(std::string_view text) noexcept {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const auto first = byte(0);
  if (first < 0x80)
    return 1;
  if (first >= 0xC2 && first <= 0xDF)
    return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool too_large = first == 0xF4 && byte(1) > 0x8F;
    return follows(1) && follows(2) && follows(3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

} // namespace

int status_of(errc code) noexcept {
  switch (code) {
  case errc::ok:
    return 200;
  case errc::invalid_argument:
    return 400;
  case errc::not_found:
    return 404;
  case errc::no_data:
  case errc::cancelled:
  case errc::conflict:
    return 409;
  case errc::too_large:
    return 413;
  case errc::bad_feed:
  case errc::key_reused:
    return 422;
  case errc::overloaded:
    return 429;
  case errc::busy:
  case errc::not_ready:
  case errc::partition_lost:
  case errc::shutting_down:
  case errc::storage_failing:
  case errc::fenced:
  case errc::damaged:
    return 503;
  case errc::disk_full:
    return 507;
  case errc::io_failed:
  case errc::interrupted:
  case errc::internal:
    return 500;
  }
  return 500;
}

response json_answer(int status, const json::value& body) {
  return {
      status, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, json_text(body) + "\n"};
}

response problem(int status, std::string_view code, std::string_view detail) {
  auto answer = json_answer(status, json::object{{"error", code}, {"detail", utf8(detail)}});
  if (status == 429 || status == 503 || status == 507)
    answer.fields.push_back({"Retry-After", "1"});
  return answer;
}

response problem(const error& e) {
  return problem(status_of(e.code), to_string(e.code), e.detail);
}

response late_request() {
  return problem(408, "request_timeout", "the request did not come in time");
}

response cut_request() {
  return problem(400, "bad_request", "the request ends before it is whole");
}

std::string utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0)
      out += "\xEF\xBF\xBD";
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

} // namespace storemon::http
