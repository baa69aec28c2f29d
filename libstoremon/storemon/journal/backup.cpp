#include "storemon/journal/backup.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace storemon::journal {

namespace {

error refused(const std::string& what, const std::string& path, const std::error_code& why) {
  return {errc::io_failed, what + " " + path + ": " + why.message()};
}

/// Makes the names in a directory durable.
result<void> sync_directory(const std::filesystem::path& file) {
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const auto last_error = [&] {
    return refused("cannot sync", directory.string(), {errno, std::generic_category()});
  };
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return last_error();
  result<void> synced;
  if (::fsync(fd) != 0)
    synced = last_error();
  ::close(fd);
  return synced;
}

} // namespace

result<void> back_up(backend& from, const std::string& path, const copy_verifier& verify) {
  std::error_code why;
  if (std::filesystem::exists(path, why))
    return error{errc::invalid_argument, path + " exists"};
  if (why)
    return refused("cannot look at", path, why);
  const auto part = path + ".part";
  std::filesystem::remove(part, why);
  if (why)
    return refused("cannot remove", part, why);
  const auto drop = [&part](error e) {
    std::error_code kept; // the first failure is the one to tell
    std::filesystem::remove(part, kept);
    return e;
  };
  if (auto copied = from.copy_to(part); !copied)
    return drop(copied.error());
  if (auto sound = verify(part); !sound)
    return drop(sound.error());
  std::filesystem::rename(part, path, why);
  if (why)
    return drop(refused("cannot rename", part, why));
  return sync_directory(path);
}

} // namespace storemon::journal
