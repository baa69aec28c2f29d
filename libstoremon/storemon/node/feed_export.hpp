#pragma once

#include "storemon/model/error.hpp"

#include <string>

namespace storemon::node {

/// Writes the feeds of a data directory, whose server is stopped, into a directory that is made where there
/// is none: the three of SEMANTICS section 1, and those of closures, corrections and stores where they hold
/// anything. Fails with busy while a server runs, damaged, io_failed, and when a feed's file is there already
/// with invalid_argument; then nothing is written.
result<void> export_feeds(const std::string& data_directory, const std::string& to);

} // namespace storemon::node
