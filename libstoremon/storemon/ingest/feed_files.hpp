#pragma once

#include "storemon/model/error.hpp"

#include <optional>
#include <string>

namespace storemon::ingest {

/// Where the feeds of a directory are; at least one is there.
struct feed_files {
  std::optional<std::string> status;
  std::optional<std::string> hours;
  std::optional<std::string> zones;
};

/// Looks for the feeds by the names of SEMANTICS section 1.
/// @returns errc::io_failed naming the directory and what was looked for when it holds none of them or cannot
/// be read; errc::invalid_argument when it holds one feed under both its names.
result<feed_files> find_feed_files(const std::string& directory);

/// A text that is another one once a feed of the directory is another file or was written to: path, size and
/// time of each. Empty where find_feed_files fails.
std::string tell_apart(const std::string& directory);

} // namespace storemon::ingest
