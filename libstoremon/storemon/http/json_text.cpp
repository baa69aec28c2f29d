#include "storemon/http/json_text.hpp"

#include <boost/json.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace storemon::http {

namespace json = boost::json;

namespace {

void append_escaped(std::string& to, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  to += '\\';
  switch (c) {
  case '"':
  case '\\':
    to += c;
    break;
  case '\b':
    to += 'b';
    break;
  case '\f':
    to += 'f';
    break;
  case '\n':
    to += 'n';
    break;
  case '\r':
    to += 'r';
    break;
  case '\t':
    to += 't';
    break;
  default:
    to += {'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
  }
}

void append_text(std::string& to, json::string_view text) {
  to += '"';
  auto plain = text.begin(); // what needs no escape goes in runs
  for (auto next = plain; next != text.end(); ++next)
    if (static_cast<unsigned char>(*next) < 0x20 || *next == '"' || *next == '\\') {
      to.append(plain, next);
      append_escaped(to, *next);
      plain = next + 1;
    }
  to.append(plain, text.end());
  to += '"';
}

template <class Number, class... Form>
void append_number(std::string& to, Number number, Form... form) {
  constexpr size_t digits_max = 400; // more than the smallest double has behind its point
  std::array<char, digits_max> text;
  const auto written = std::to_chars(text.data(), text.data() + text.size(), number, form...);
  to.append(text.data(), written.ptr);
}

void append_value(std::string& to, const json::value& value);

void append_object(std::string& to, const json::object& object) {
  to += '{';
  for (const auto& [key, value] : object) {
    if (to.back() != '{')
      to += ',';
    append_text(to, key);
    to += ':';
    append_value(to, value);
  }
  to += '}';
}

void append_array(std::string& to, const json::array& array) {
  to += '[';
  for (const auto& value : array) {
    if (&value != array.data())
      to += ',';
    append_value(to, value);
  }
  to += ']';
}

void append_value(std::string& to, const json::value& value) {
  switch (value.kind()) {
  case json::kind::null:
    to += "null";
    break;
  case json::kind::bool_:
    to += value.get_bool() ? "true" : "false";
    break;
  case json::kind::int64:
    append_number(to, value.get_int64());
    break;
  case json::kind::uint64:
    append_number(to, value.get_uint64());
    break;
  case json::kind::double_:
    if (std::isfinite(value.get_double()))
      append_number(to, value.get_double(), std::chars_format::fixed);
    else
      to += "null";
    break;
  case json::kind::string:
    append_text(to, value.get_string());
    break;
  case json::kind::array:
    append_array(to, value.get_array());
    break;
  case json::kind::object:
    append_object(to, value.get_object());
    break;
  }
}

} // namespace

std::string json_text(const json::value& value) {
  std::string text;
  append_value(text, value);
  return text;
}

} // namespace storemon::http
