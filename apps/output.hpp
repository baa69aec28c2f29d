#pragma once

#include "storemon/model/error.hpp"

#include <string>
#include <string_view>

namespace storemon {

/// Writes all bytes to a file, or to standard output where the path is empty or `-`. A file appears whole or
/// not at all: it is written beside its place and renamed; a link to a file, or to none yet, stays one. What
/// is no file (a device, a pipe) is written to as it is.
/// @returns errc::io_failed naming the path and the reason.
result<void> write_output(const std::string& path, std::string_view bytes);

/// A text with its control characters replaced, so that foreign bytes cannot steer a terminal.
std::string printable(std::string_view text);

} // namespace storemon
