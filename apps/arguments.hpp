#pragma once

#include <span>
#include <string>
#include <vector>

namespace storemon {

/// The arguments with an option's name before each of its values: `--window A B DIR` becomes
/// `--window A --window B DIR`. CLI11 cannot tell the last value of several from an argument that follows.
/// @param option    the name, such as `--window`
/// @param is_value  whether an argument behind a value is one more
std::vector<std::string> name_each_value(std::span<const std::string> arguments, const std::string& option,
                                         bool (*is_value)(const std::string&));

} // namespace storemon
