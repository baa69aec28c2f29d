#include "storemon/node/settings_file.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace storemon::node {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-' || c == '.';
}

/// The rest of a line that is being read from its front.
class line_reader {
public:
  explicit line_reader(std::string_view line) : rest_(line) { skip_blanks(); }

  /// At the end, or before a comment.
  bool done() const { return rest_.empty() || rest_.front() == '#'; }

  bool take(char expected) {
    if (rest_.empty() || rest_.front() != expected)
      return false;
    rest_.remove_prefix(1);
    skip_blanks();
    return true;
  }

  /// A bare name, dots allowed within; empty when there is none.
  std::string take_name() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_name_char);
    return take_until(static_cast<size_t>(end - rest_.begin()));
  }

  /// A whole number; its underscores are left out.
  std::optional<std::string> take_number() {
    const auto end =
        std::find_if(rest_.begin(), rest_.end(), [](char c) { return c == ' ' || c == '\t' || c == '#'; });
    auto text = take_until(static_cast<size_t>(end - rest_.begin()));
    if (text.empty() || !is_digit(text.back()) || text.find("__") != std::string::npos)
      return std::nullopt;
    const size_t sign = text.front() == '-' ? 1 : 0;
    if (!is_digit(text[sign]) || !std::all_of(text.begin() + static_cast<std::ptrdiff_t>(sign), text.end(),
                                              [](char c) { return is_digit(c) || c == '_'; }))
      return std::nullopt;
    std::erase(text, '_');
    return text;
  }

  /// A text in quotes, whose kind of quote is next.
  std::optional<std::string> take_text() {
    const char quote = rest_.front();
    std::string text;
    for (size_t i = 1; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == quote) {
        rest_.remove_prefix(i + 1);
        skip_blanks();
        return text;
      }
      if (c == '\\' && quote == '"') {
        // Of TOML's escapes only these two can occur in a setting.
        c = ++i < rest_.size() ? rest_[i] : '\0';
        if (c != '"' && c != '\\')
          return std::nullopt;
      }
      text += c;
    }
    return std::nullopt;
  }

  bool at_quote() const { return !rest_.empty() && (rest_.front() == '"' || rest_.front() == '\''); }

private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r"), rest_.size())); }

  std::string take_until(size_t end) {
    std::string taken(rest_.substr(0, end));
    rest_.remove_prefix(end);
    skip_blanks();
    return taken;
  }

  std::string_view rest_;
};

error refusal(int line, const std::string& what) {
  return {errc::invalid_argument, "line " + std::to_string(line) + ": " + what};
}

} // namespace

result<std::vector<file_item>> read_settings_file(std::istream& in) {
  std::vector<file_item> items;
  std::string section;
  std::string text;
  int number = 1;
  for (; std::getline(in, text); ++number) {
    line_reader line(text);
    if (line.done())
      continue;
    if (line.take('[')) {
      section = line.take_name();
      if (section.empty() || !line.take(']') || !line.done())
        return refusal(number, "[section] is expected");
      continue;
    }
    file_item item;
    item.line = number;
    item.name = (section.empty() ? "" : section + ".") + line.take_name();
    if (item.name.empty() || item.name.ends_with('.') || !line.take('='))
      return refusal(number, "name = value is expected");
    item.is_text = line.at_quote();
    auto value = item.is_text ? line.take_text() : line.take_number();
    if (!value || !line.done())
      return refusal(number, "a whole number or a text in quotes is expected for '" + item.name + "'");
    item.value = std::move(*value);
    const auto before =
        std::find_if(items.begin(), items.end(), [&](const file_item& i) { return i.name == item.name; });
    if (before != items.end())
      return refusal(number,
                     "'" + item.name + "' was given on line " + std::to_string(before->line) + " already");
    items.push_back(std::move(item));
  }
  if (in.bad())
    return error{errc::io_failed, "line " + std::to_string(number) + ": cannot be read"};
  return items;
}

} // namespace storemon::node
