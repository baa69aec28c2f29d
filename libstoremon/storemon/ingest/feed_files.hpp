#pragma once

#include "storemon/ingest/feed.hpp"
#include "storemon/model/error.hpp"

#include <string>
#include <vector>

namespace storemon::ingest {

struct feed_file {
  feed_kind kind{};
  std::string path;
};

/// Looks for the feeds of a directory: the three of SEMANTICS section 1 by the names given there, and
/// closures.csv, corrections.csv and stores.csv. At least one is there; they come in the order to be read in.
/// @returns errc::io_failed naming the directory and what was looked for when it holds none of them or cannot
/// be read; errc::invalid_argument when it holds one feed under both its names.
result<std::vector<feed_file>> find_feed_files(const std::string& directory);

/// A text that is another one once a feed of the directory is another file or was written to: path, size and
/// time of each. Empty where find_feed_files fails.
std::string tell_apart(const std::string& directory);

} // namespace storemon::ingest
