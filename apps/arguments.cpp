#include "arguments.hpp"

namespace storemon {

std::vector<std::string> name_each_value(std::span<const std::string> arguments, const std::string& option,
                                         bool (*is_value)(const std::string&)) {
  std::vector<std::string> named;
  bool options = true; // none comes after `--`
  bool after_value = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    if (after_value && is_value(argument))
      named.push_back(option);
    else
      after_value = options && argument.starts_with(option + "=");
    named.push_back(argument);
    options = options && argument != "--";
    if (options && argument == option && i + 1 < arguments.size()) {
      named.push_back(arguments[++i]);
      after_value = true;
    }
  }
  return named;
}

} // namespace storemon
