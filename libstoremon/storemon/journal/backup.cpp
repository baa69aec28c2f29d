#include "storemon/journal/backup.hpp"

#include "storemon/journal/data_directory.hpp"

#include <filesystem>
#include <system_error>

namespace storemon::journal {

namespace {

error refused(const std::string& what, const std::string& path, const std::error_code& why) {
  return {errc::io_failed, what + " " + path + ": " + why.message()};
}

std::string part_of(const std::string& path) {
  return path + ".part";
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
    if (auto synced = sync_path(part); !synced)
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
  return sync_path(directory.empty() ? "." : directory.string());
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
