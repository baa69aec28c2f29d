#include "storemon/journal/backup.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <system_error>
#include <unistd.h>

namespace storemon::journal {

namespace {

error refused(const std::string& what, const std::string& path, const std::error_code& why) {
  return {errc::io_failed, what + " " + path + ": " + why.message()};
}

std::string part_of(const std::string& path) {
  return path + ".part";
}

/// Makes a file durable, or the names in a directory.
result<void> sync(const std::filesystem::path& what, int flags) {
  const auto last_error = [&] {
    return refused("cannot sync", what.string(), {errno, std::generic_category()});
  };
  const int fd = ::open(what.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (fd < 0)
    return last_error();
  result<void> synced;
  if (::fsync(fd) != 0)
    synced = last_error();
  ::close(fd);
  return synced;
}

} // namespace

result<std::unique_ptr<backend::copying>> begin_backup(backend& from, const std::string& path) {
  std::error_code why;
  if (std::filesystem::exists(path, why))
    return error{errc::invalid_argument, path + " exists"};
  if (why)
    return refused("cannot look at", path, why);
  std::filesystem::remove(part_of(path), why);
  if (why)
    return refused("cannot remove", part_of(path), why);
  return from.begin_copy(part_of(path));
}

result<void> finish_backup(const std::string& path, const copy_verifier& verify) {
  const auto part = part_of(path);
  const auto named = [&]() -> result<void> {
    if (auto sound = verify(part); !sound)
      return sound;
    if (auto synced = sync(part, 0); !synced)
      return synced;
    std::error_code why;
    std::filesystem::rename(part, path, why);
    if (why)
      return refused("cannot rename", part, why);
    return {};
  }();
  if (!named) {
    std::error_code kept; // the first failure is the one to tell
    std::filesystem::remove(part, kept);
    return named;
  }
  const auto directory = std::filesystem::path(path).parent_path();
  return sync(directory.empty() ? "." : directory, O_DIRECTORY);
}

result<void> back_up(backend& from, const std::string& path, const copy_verifier& verify) {
  {
    const auto copy = begin_backup(from, path);
    if (!copy)
      return copy.error();
    if (auto whole = copy_all(**copy); !whole)
      return whole;
  }
  return finish_backup(path, verify);
}

} // namespace storemon::journal
