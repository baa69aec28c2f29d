#include "storemon/node/data_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace storemon::node {

namespace fs = std::filesystem;

namespace {

error failed(const fs::path& what, const std::string& why) {
  return {errc::io_failed, "data directory: " + what.string() + ": " + why};
}

/// What the holder of a lock file wrote into it.
std::string holder(int lock) {
  std::array<char, 32> text{};
  const auto bytes = ::pread(lock, text.data(), text.size() - 1, 0);
  return bytes > 0 ? "process " + std::string(text.data(), static_cast<size_t>(bytes)) : "another process";
}

} // namespace

result<data_directory> data_directory::take(const fs::path& path) {
  std::error_code failure;
  const bool made = fs::create_directories(path, failure);
  if (!failure && made)
    fs::permissions(path, fs::perms::owner_all, failure);
  if (failure)
    return failed(path, failure.message());
  constexpr mode_t owner_only = 0600;
  const auto file = path / "lock";
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only);
  if (lock < 0)
    return failed(file, std::strerror(errno));
  data_directory taken(fs::absolute(path), lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return failed(file, std::strerror(errno));
    return error{errc::busy, "the data directory " + path.string() + " is in use by " + holder(lock) +
                                 "; give each server a data.dir of its own"};
  }
  const auto pid = std::to_string(::getpid());
  if (::ftruncate(lock, 0) != 0 || ::pwrite(lock, pid.data(), pid.size(), 0) < 0)
    return failed(file, std::strerror(errno));
  // What a process that died left there nobody waits for.
  fs::remove_all(taken.spool(), failure);
  if (!failure)
    fs::create_directory(taken.spool(), failure);
  if (!failure)
    fs::permissions(taken.spool(), fs::perms::owner_all, failure);
  if (failure)
    return failed(taken.spool(), failure.message());
  return taken;
}

data_directory::data_directory(data_directory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

data_directory::~data_directory() {
  if (lock_ >= 0)
    ::close(lock_);
}

} // namespace storemon::node
