#include "storemon/ingest/feed_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace storemon::ingest {

namespace {

/// In the order the feeds are read in. Stores come last: then most of them are there already.
constexpr std::array<feed_kind, all_feeds.size()> reading_order{feed_kind::timezones,   feed_kind::hours,
                                                                feed_kind::status,      feed_kind::closures,
                                                                feed_kind::corrections, feed_kind::stores};

/// Adds the one of a feed's files that the directory holds, if it does.
result<void> find_one(const std::filesystem::path& directory, feed_kind kind, std::vector<feed_file>& found) {
  for (const auto name : file_names_of(kind)) {
    const auto path = directory / name;
    std::error_code failed;
    if (name.empty() || !std::filesystem::exists(path, failed)) {
      if (failed)
        return error{errc::io_failed, "cannot look for " + path.string() + ": " + failed.message()};
      continue;
    }
    if (!found.empty() && found.back().kind == kind)
      return error{errc::invalid_argument, "the same feed under two names, remove one: " + found.back().path +
                                               " and " + path.string()};
    found.push_back({kind, path.string()});
  }
  return {};
}

std::string all_names() {
  std::string list;
  for (const auto kind : reading_order)
    for (const auto name : file_names_of(kind))
      if (!name.empty())
        list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

} // namespace

result<std::vector<feed_file>> find_feed_files(const std::string& directory) {
  std::vector<feed_file> found;
  for (const auto kind : reading_order)
    if (auto looked = find_one(directory, kind, found); !looked)
      return looked.error();
  if (found.empty())
    return error{errc::io_failed, directory + " holds none of " + all_names()};
  return found;
}

std::string tell_apart(const std::string& directory) {
  namespace fs = std::filesystem;
  auto files = find_feed_files(directory);
  if (!files)
    return {};
  // Journals keep this text, so the order is that of the first version: a directory whose files are the same
  // is not read again because the program is another one.
  std::sort(files->begin(), files->end(),
            [](const feed_file& a, const feed_file& b) { return a.kind < b.kind; });
  std::string text;
  for (const auto& [kind, path] : *files) {
    std::error_code failed;
    const auto size = fs::file_size(path, failed);
    const auto written = failed ? fs::file_time_type() : fs::last_write_time(path, failed);
    if (failed)
      return {};
    text += fs::absolute(path).string() + "|" + std::to_string(size) + "|" +
            std::to_string(written.time_since_epoch().count()) + "\n";
  }
  return text;
}

} // namespace storemon::ingest
