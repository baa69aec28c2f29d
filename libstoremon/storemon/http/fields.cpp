#include "storemon/http/fields.hpp"

#include "storemon/model/local_text.hpp"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <vector>

namespace storemon::http {

namespace json = boost::json;

namespace {

/// Makes the value that Boost's parser reads, as its own handler does, but lets no object name a field twice:
/// there the last would count.
class value_maker {
public:
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  using error_code = json::error_code;
  using text = json::string_view;

  value_maker() { made_.reset(); }

  json::value release() { return made_.release(); }

  /// Why the parser was stopped.
  const std::optional<error>& refusal() const noexcept { return refusal_; }

  bool on_document_begin(error_code&) { return true; }

  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) {
    names_.emplace_back();
    return true;
  }

  bool on_object_end(size_t size, error_code&) {
    names_.pop_back();
    made_.push_object(size);
    return true;
  }

  bool on_array_begin(error_code&) { return true; }

  bool on_array_end(size_t size, error_code&) {
    made_.push_array(size);
    return true;
  }

  bool on_key_part(text part, size_t, error_code&) {
    name_ += view(part);
    made_.push_chars(part);
    return true;
  }

  bool on_key(text last, size_t, error_code& failure) {
    name_ += view(last);
    made_.push_key(last);
    if (auto fresh = names_.back()(name_); !fresh) {
      refusal_ = fresh.error();
      failure = json::error::syntax; // some failure: it stops the parser
    }
    name_.clear();
    return !refusal_;
  }

  bool on_string_part(text part, size_t, error_code&) {
    made_.push_chars(part);
    return true;
  }

  bool on_string(text last, size_t, error_code&) {
    made_.push_string(last);
    return true;
  }

  bool on_number_part(text, error_code&) { return true; }

  bool on_int64(int64_t number, text, error_code&) {
    made_.push_int64(number);
    return true;
  }

  bool on_uint64(uint64_t number, text, error_code&) {
    made_.push_uint64(number);
    return true;
  }

  bool on_double(double number, text, error_code&) {
    made_.push_double(number);
    return true;
  }

  bool on_bool(bool given, error_code&) {
    made_.push_bool(given);
    return true;
  }

  bool on_null(error_code&) {
    made_.push_null();
    return true;
  }

  bool on_comment_part(text, error_code&) { return true; }

  bool on_comment(text, error_code&) { return true; }

private:
  json::value_stack made_;
  std::vector<once> names_; ///< of the objects being read, the outermost first
  std::string name_;        ///< being read
  std::optional<error> refusal_;
};

} // namespace

error invalid(std::string detail) {
  return {errc::invalid_argument, std::move(detail)};
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

result<json::object> parse_object(std::string_view body) {
  if (body.empty())
    return json::object();
  json::basic_parser<value_maker> parser{json::parse_options()};
  json::error_code failure;
  size_t at = parser.write_some(false, body.data(), body.size(), failure);
  if (const auto& why = parser.handler().refusal())
    return *why;
  // What follows the value may only be white space, which the parser has taken already.
  if (!failure && at < body.size())
    failure = json::error::extra_data;
  if (failure)
    return invalid("bad JSON at byte " + std::to_string(at) + ": " + failure.message());
  auto value = parser.handler().release();
  if (!value.is_object())
    return invalid("the JSON body has to be an object");
  return std::move(value.as_object());
}

result<void> once::operator()(std::string_view name) {
  if (!seen_.emplace(name).second)
    return invalid(in_quotes(name) + " is given twice");
  return {};
}

result<void> check_known(std::string_view name, std::initializer_list<std::string_view> known,
                         std::string_view kind) {
  if (std::find(known.begin(), known.end(), name) != known.end())
    return {};
  auto told = in_quotes(name);
  told.append(" is not ").append(kind).append(known.size() == 1 ? "; known is " : "; known are ");
  for (size_t i = 0; i < known.size(); ++i)
    told.append(i == 0 ? "" : ", ").append(known.begin()[i]);
  return invalid(std::move(told));
}

result<void> check_query(const request& asked, std::initializer_list<std::string_view> known) {
  once check;
  for (const auto& parameter : asked.query) {
    if (auto is_known = check_known(parameter.name, known, "a parameter"); !is_known)
      return is_known;
    if (auto fresh = check(parameter.name); !fresh)
      return fresh;
  }
  return {};
}

result<void> check_fields(const json::object& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object)
    if (auto is_known = check_known(view(key), known, "a field"); !is_known)
      return is_known;
  return {};
}

std::optional<std::string> query_value(const request& asked, std::string_view name) {
  const auto found = std::find_if(asked.query.begin(), asked.query.end(),
                                  [&](const field& parameter) { return parameter.name == name; });
  return found == asked.query.end() ? std::nullopt : std::optional(found->value);
}

result<std::optional<std::string>> text_field(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value)
    return std::optional<std::string>();
  if (!value->is_string())
    return invalid(in_quotes(name) + " has to be a string");
  return std::optional(std::string(view(value->as_string())));
}

result<std::string> needed_text(const json::object& object, std::string_view name) {
  auto text = text_field(object, name);
  if (!text)
    return text.error();
  if (!*text)
    return invalid(in_quotes(name) + " is missing");
  return std::move(**text);
}

result<instant> read_instant(std::string_view name, std::string_view text) {
  if (const auto at = parse_instant(text))
    return *at;
  return invalid(in_quotes(name) + " has to be a timestamp such as 2023-01-25T18:13:22Z, not " +
                 in_quotes(text));
}

result<std::chrono::local_days> read_date(std::string_view name, std::string_view text) {
  if (const auto date = parse_date(text))
    return *date;
  return invalid(in_quotes(name) + " has to be a date such as 2023-01-25, not " + in_quotes(text));
}

} // namespace storemon::http
