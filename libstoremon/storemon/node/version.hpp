#pragma once

#include <string_view>

namespace storemon::node {

/// The version of server and tool: the one CMakeLists.txt gives the project.
inline constexpr std::string_view version = "0.1.0";

} // namespace storemon::node
