#pragma once

#include <string>

namespace storemon {

/// Checks of CLI11: what is wrong with a value, empty where nothing is.

/// A forgotten file name would otherwise swallow the option after it.
std::string check_file_name(const std::string& text);

/// CLI11 takes 010 for eight, -1 for the greatest number there is, and a greater one for that, too.
std::string check_whole_number(const std::string& text);

} // namespace storemon
