#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace storemon::test {

/// The records of an RFC 4180 text, character by character; throws at what is none.
inline std::vector<std::vector<std::string>> read_csv(std::string_view text) {
  std::vector<std::vector<std::string>> records;
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      fields.back() += text[++i];
    } else if (quoted && c == '"') {
      quoted = false;
      if (i + 1 == text.size() || (text[i + 1] != ',' && text[i + 1] != '\n'))
        throw std::runtime_error("text after a closing quote");
    } else if (quoted) {
      fields.back() += c;
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == '"' || c == '\r') {
      throw std::runtime_error("a quote or a CR in an unquoted field");
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      records.push_back(std::move(fields));
      fields.assign(1, {});
    } else {
      fields.back() += c;
    }
  }
  if (quoted || fields.size() > 1 || !fields.back().empty())
    throw std::runtime_error("the last record has no end");
  return records;
}

} // namespace storemon::test
