#include "storemon/journal/data_directory.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

namespace storemon::journal {

namespace {

constexpr int owner_only = 0600;

error failed(const std::string& path, int number) {
  return {number == ENOSPC ? errc::disk_full : errc::io_failed, path + ": " + std::strerror(number)};
}

/// A file descriptor, closed at the end.
struct descriptor {
  int fd;

  ~descriptor() {
    if (fd >= 0)
      ::close(fd);
  }
};

} // namespace

result<void> sync_path(const std::string& path) {
  const descriptor d{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (d.fd < 0 || ::fsync(d.fd) != 0)
    return failed(path, errno);
  return {};
}

result<std::unique_ptr<data_directory>> data_directory::open(const std::string& given) {
  std::error_code code;
  auto whole = std::filesystem::absolute(given, code).lexically_normal();
  if (!whole.has_filename()) // it ended with a slash
    whole = whole.parent_path();
  const auto path = whole.string();
  if (!code)
    std::filesystem::create_directories(whole.parent_path(), code);
  if (code)
    return failed(given, code.value());
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return failed(path, errno);
  const auto name = path + "/LOCK";
  const int lock = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only);
  if (lock < 0)
    return failed(name, errno);
  std::unique_ptr<data_directory> directory(new data_directory(path, lock));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? error{errc::busy, path + " is in use by another process"}
                                : failed(name, errno);
  if (::fchmod(lock, owner_only) != 0)
    return failed(name, errno);
  return directory;
}

data_directory::~data_directory() {
  ::close(lock_);
}

namespace {

std::string data_file(const std::string& directory, uint64_t number) {
  return directory + "/store-" + std::to_string(number) + ".db";
}

/// See data_directory::current().
result<std::optional<uint64_t>> read_current(const std::string& directory) {
  const auto name = directory + "/CURRENT";
  std::error_code code;
  if (!std::filesystem::exists(name, code)) {
    if (code)
      return failed(name, code.value());
    return std::optional<uint64_t>();
  }
  std::ifstream in(name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  constexpr size_t before = 6; // "store-"
  uint64_t number = 0;
  if (text.size() > before)
    std::from_chars(text.data() + before, text.data() + text.size(), number);
  if (text != "store-" + std::to_string(number) + ".db\n")
    return error{errc::damaged, name + " names no file"};
  return std::optional(number);
}

} // namespace

std::string data_directory::file(uint64_t number) const {
  return data_file(path_, number);
}

result<std::optional<uint64_t>> data_directory::current() const {
  return read_current(path_);
}

result<void> data_directory::write(const std::string& name, const std::string& text) const {
  const auto temporary = path_ + "/" + name + ".new";
  {
    const descriptor d{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only)};
    if (d.fd < 0)
      return failed(temporary, errno);
    errno = ENOSPC; // what a short write means
    if (::write(d.fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(d.fd) != 0)
      return failed(temporary, errno);
  }
  if (::rename(temporary.c_str(), (path_ + "/" + name).c_str()) != 0)
    return failed(temporary, errno);
  return sync_path(path_);
}

result<void> data_directory::set_current(uint64_t number) const {
  return write("CURRENT", "store-" + std::to_string(number) + ".db\n");
}

bool data_directory::marked_failed() const {
  std::error_code unknown; // then the file system fails, and all that follows finds out
  return std::filesystem::exists(path_ + "/io_failed", unknown);
}

result<void> data_directory::mark_failed() const {
  return write("io_failed", "a write or sync failed; the next start copies the data before it serves\n");
}

result<void> data_directory::clear_failed() const {
  std::error_code code;
  std::filesystem::remove(path_ + "/io_failed", code);
  if (code)
    return failed(path_ + "/io_failed", code.value());
  return sync_path(path_);
}

bool data_directory::hold_reserve(uint64_t bytes) const {
  constexpr uint64_t share = 4; // of the free room it may be so much at most
  const auto name = path_ + "/reserve";

  struct stat held {};

  if (::stat(name.c_str(), &held) == 0 && static_cast<uint64_t>(held.st_size) == bytes)
    return true;
  if (bytes_free() / share < bytes)
    return false;
  const descriptor d{::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, owner_only)};
  if (d.fd >= 0 && ::posix_fallocate(d.fd, 0, static_cast<off_t>(bytes)) == 0)
    return true;
  give_up_reserve();
  return false;
}

void data_directory::give_up_reserve() const noexcept {
  ::unlink((path_ + "/reserve").c_str()); // fails where there is none, which is as well
}

result<void> copy_data(const std::string& from, const std::string& to) {
  const auto lock_name = from + "/LOCK";
  const descriptor lock{::open(lock_name.c_str(), O_RDONLY | O_CLOEXEC)};
  if (lock.fd < 0 && errno != ENOENT)
    return failed(lock_name, errno);
  if (lock.fd >= 0 && ::flock(lock.fd, LOCK_SH | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? error{errc::busy, from + " is in use by another process"}
                                : failed(lock_name, errno);
  const auto current = read_current(from);
  if (!current)
    return current.error();
  if (!*current || !std::filesystem::exists(data_file(from, **current)))
    return error{errc::damaged, "CURRENT in " + from + " names a file that is not there"};
  if (::mkdir(to.c_str(), 0700) != 0)
    return failed(to, errno);
  for (const auto& [name, needed] :
       {std::pair(from + "/CURRENT", true), std::pair(data_file(from, **current), true),
        std::pair(data_file(from, **current) + "-wal", false)}) {
    std::error_code code;
    if (!needed && !std::filesystem::exists(name, code))
      continue;
    const auto copy = std::filesystem::path(to) / std::filesystem::path(name).filename();
    if (!std::filesystem::copy_file(name, copy, code))
      return failed(name, code.value());
    if (::chmod(copy.c_str(), owner_only) != 0) // it may have been for readers only
      return failed(copy.string(), errno);
  }
  return {};
}

uint64_t data_directory::bytes_free() const {
  struct statvfs fs;
  if (::statvfs(path_.c_str(), &fs) != 0)
    return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(fs.f_bavail) * fs.f_frsize;
}

} // namespace storemon::journal
