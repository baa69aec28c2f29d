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

result<void> sync_directory(const std::string& path) {
  const descriptor d{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
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

std::string data_directory::file(uint64_t number) const {
  return path_ + "/store-" + std::to_string(number) + ".db";
}

result<std::optional<uint64_t>> data_directory::current() const {
  const auto name = path_ + "/CURRENT";
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
  return sync_directory(path_);
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
  return sync_directory(path_);
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

uint64_t data_directory::bytes_free() const {
  struct statvfs fs;
  if (::statvfs(path_.c_str(), &fs) != 0)
    return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(fs.f_bavail) * fs.f_frsize;
}

} // namespace storemon::journal
