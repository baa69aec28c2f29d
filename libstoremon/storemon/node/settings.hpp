#pragma once

#include "storemon/node/config.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storemon::node {

/// One setting: how it is named and explained, and the way between its text and its place in a configuration.
struct setting {
  std::string name; ///< `group.name`
  bool is_text;     ///< quoted in the file; otherwise a whole number
  std::string about;
  std::string expects; ///< "a number from 0 to 65535": what a refusal says
  /// Stores the value; false, and nothing stored, when the text is not what `expects` says.
  std::function<bool(configuration&, std::string_view)> take;
  std::function<std::string(const configuration&)> show; ///< the text that `take` would read as that value

  std::string group() const { return name.substr(0, name.find('.')); }
};

/// All settings, in the order of config/storemond.toml.
const std::vector<setting>& all_settings();

/// The setting of that full name; nullptr when there is none.
const setting* find_setting(std::string_view name);

/// The name of the setting a mistyped one was most likely meant to be; empty when none is near.
std::string_view nearest_setting(std::string_view name);

/// Why values that are each valid cannot stand together; nothing when they can.
std::optional<std::string> contradiction(const configuration& config);

} // namespace storemon::node
