#include "storemon/journal/data_directory.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string_view>
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

namespace {

/// Whether a directory without CURRENT may be made a data directory: nothing is in it but what a start that
/// was cut short leaves. Hidden files and lost+found of a file system's root do no harm.
result<void> refuse_foreign(const std::string& path) {
  constexpr std::array<std::string_view, 7> ours{"LOCK",      "CURRENT.new", "io_failed", "reserve",
                                                 "restoring", "spool",       "lost+found"};
  std::error_code code;
  if (std::filesystem::exists(path + "/CURRENT", code))
    return {};
  std::filesystem::directory_iterator next(path, code);
  for (; !code && next != std::filesystem::directory_iterator(); next.increment(code)) {
    const auto name = next->path().filename().string();
    if (name.starts_with('.') || name.starts_with("store-") || name.starts_with("control") ||
        std::find(ours.begin(), ours.end(), name) != ours.end())
      continue;
    return error{
        errc::invalid_argument,
        "data.dir: " + path + " holds '" + name +
            "' and no data of a server; did you mean data.import? A directory for data is new or empty"};
  }
  return code ? failed(path, code.value()) : result<void>();
}

} // namespace

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
  if (auto fit = refuse_foreign(path); !fit)
    return fit.error();
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

/// What CURRENT says: the file's number, and on which start of the machine it was opened and not yet closed.
struct current_file {
  uint64_t number = 0;
  std::string opened_on;
};

/// See data_directory::current().
result<std::optional<current_file>> read_current(const std::string& directory) {
  const auto name = directory + "/CURRENT";
  std::error_code code;
  if (!std::filesystem::exists(name, code)) {
    if (code)
      return failed(name, code.value());
    return std::optional<current_file>();
  }
  std::ifstream in(name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  constexpr size_t before = 6; // "store-"
  constexpr std::string_view open = "open ";
  current_file found;
  if (text.size() > before)
    std::from_chars(text.data() + before, text.data() + text.size(), found.number);
  const auto first = "store-" + std::to_string(found.number) + ".db\n";
  if (!text.starts_with(first))
    return error{errc::damaged, name + " names no file"};
  const auto second = std::string_view(text).substr(first.size());
  if (second.empty())
    return std::optional(found);
  if (!second.starts_with(open) || second.back() != '\n' || second.find('\n') != second.size() - 1)
    return error{errc::damaged, name + " has a second line that says nothing"};
  found.opened_on = second.substr(open.size(), second.size() - open.size() - 1);
  return std::optional(found);
}

} // namespace

std::string data_directory::file(uint64_t number) const {
  return data_file(path_, number);
}

result<std::optional<uint64_t>> data_directory::current() const {
  const auto found = read_current(path_);
  if (!found)
    return found.error();
  return *found ? std::optional((*found)->number) : std::nullopt;
}

result<std::string> data_directory::opened_on() const {
  const auto found = read_current(path_);
  if (!found)
    return found.error();
  return *found ? (*found)->opened_on : std::string();
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

result<void> data_directory::set_current(uint64_t number, const std::string& opened_on) const {
  const auto open = opened_on.empty() ? std::string() : "open " + opened_on + "\n";
  return write("CURRENT", "store-" + std::to_string(number) + ".db\n" + open);
}

namespace {

bool is_marked(const std::string& mark) {
  std::error_code unknown; // then the file system fails, and all that follows finds out
  return std::filesystem::exists(mark, unknown);
}

result<void> clear_mark(const std::string& directory, const std::string& mark) {
  std::error_code code;
  std::filesystem::remove(mark, code);
  if (code)
    return failed(mark, code.value());
  return sync_path(directory);
}

} // namespace

bool data_directory::marked_failed() const {
  return is_marked(path_ + "/io_failed");
}

result<void> data_directory::mark_failed() const {
  return write("io_failed", "a write or sync failed; the next start copies the data before it serves\n");
}

result<void> data_directory::clear_failed() const {
  return clear_mark(path_, path_ + "/io_failed");
}

bool data_directory::marked_restoring() const {
  return is_marked(path_ + "/restoring");
}

result<void> data_directory::mark_restoring() const {
  return write("restoring", "a restore has begun; no server starts here until one has ended\n");
}

result<void> data_directory::clear_restoring() const {
  return clear_mark(path_, path_ + "/restoring");
}

bool data_directory::hold_reserve(uint64_t bytes) const {
  constexpr uint64_t share = 4; // of the free room it may be so much at most
  const auto name = path_ + "/reserve";

  struct stat held {};

  if (::stat(name.c_str(), &held) == 0 && static_cast<uint64_t>(held.st_size) == bytes)
    return true;
  const auto free = bytes_free();
  if (!free || *free / share < bytes)
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
  if (!*current)
    return error{errc::damaged, from + " holds no data of a server: it has no CURRENT"};
  const auto file = data_file(from, (*current)->number);
  if (!std::filesystem::exists(file))
    return error{errc::damaged, "CURRENT in " + from + " names a file that is not there"};
  if (::mkdir(to.c_str(), 0700) != 0)
    return failed(to, errno);
  for (const auto& [name, needed] :
       {std::pair(from + "/CURRENT", true), std::pair(file, true), std::pair(file + "-wal", false)}) {
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

result<void> data_directory::in_place() const {
  struct stat held {};

  struct stat there {};

  const auto name = lock_file();
  if (::fstat(lock_, &held) != 0)
    return failed(name, errno);
  if (held.st_nlink > 0 && ::stat(name.c_str(), &there) == 0 && there.st_ino == held.st_ino &&
      there.st_dev == held.st_dev)
    return {};
  return error{errc::storage_failing,
               path_ + " was removed or moved while the server had it: nothing can be kept there"};
}

result<uint64_t> data_directory::bytes_free() const {
  struct statvfs fs;
  if (::statvfs(path_.c_str(), &fs) != 0)
    return failed(path_, errno);
  return static_cast<uint64_t>(fs.f_bavail) * fs.f_frsize;
}

} // namespace storemon::journal
