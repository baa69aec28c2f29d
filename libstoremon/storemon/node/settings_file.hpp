#pragma once

#include "storemon/model/error.hpp"

#include <istream>
#include <string>
#include <vector>

namespace storemon::node {

/// One `name = value` of a settings file.
struct file_item {
  std::string name; ///< with its section before it: `http.port`
  std::string value;
  bool is_text = false; ///< was quoted
  int line = 0;
};

/// Reads the part of TOML that settings need: `[section]`, `name = 12`, `name = "text"` or `'text'`, comments
/// and blank lines. Everything else is refused with its line number, and so is a name given twice: a
/// setting is never guessed. (CLI11's own reader cuts texts at a '#', skips what it cannot read and lets the
/// first of two equal names win.)
result<std::vector<file_item>> read_settings_file(std::istream& in);

} // namespace storemon::node
