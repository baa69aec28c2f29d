#include "storemon/ingest/feed_files.hpp"

#include <filesystem>
#include <initializer_list>
#include <system_error>

namespace storemon::ingest {

namespace {

/// The one of a feed's names that the directory holds.
result<std::optional<std::string>> find_one(const std::filesystem::path& directory,
                                            std::initializer_list<const char*> names) {
  std::optional<std::string> found;
  for (const auto* name : names) {
    const auto path = directory / name;
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) {
      if (failed)
        return error{errc::io_failed, "cannot look for " + path.string() + ": " + failed.message()};
      continue;
    }
    if (found)
      return error{errc::invalid_argument,
                   "the same feed under two names, remove one: " + *found + " and " + path.string()};
    found = path.string();
  }
  return found;
}

} // namespace

result<feed_files> find_feed_files(const std::string& directory) {
  const auto status = find_one(directory, {"store_status.csv"});
  if (!status)
    return status.error();
  const auto hours = find_one(directory, {"business_hours.csv", "menu_hours.csv"});
  if (!hours)
    return hours.error();
  const auto zones = find_one(directory, {"timezones.csv", "store_timezone.csv"});
  if (!zones)
    return zones.error();
  if (!*status && !*hours && !*zones)
    return error{errc::io_failed, directory + " holds none of store_status.csv, business_hours.csv, "
                                              "menu_hours.csv, timezones.csv, store_timezone.csv"};
  return feed_files{*status, *hours, *zones};
}

std::string tell_apart(const std::string& directory) {
  namespace fs = std::filesystem;
  const auto files = find_feed_files(directory);
  if (!files)
    return {};
  std::string text;
  for (const auto& path : {files->status, files->hours, files->zones}) {
    if (!path)
      continue;
    std::error_code failed;
    const auto size = fs::file_size(*path, failed);
    const auto written = failed ? fs::file_time_type() : fs::last_write_time(*path, failed);
    if (failed)
      return {};
    text += fs::absolute(*path).string() + "|" + std::to_string(size) + "|" +
            std::to_string(written.time_since_epoch().count()) + "\n";
  }
  return text;
}

} // namespace storemon::ingest
