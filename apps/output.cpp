#include "output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace storemon {

namespace {

error failed(const std::string& path) {
  return {errc::io_failed, path + ": " + std::strerror(errno)};
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

/// An open file, closed at the end.
class open_file {
public:
  open_file(const std::string& path, int flags)
      : number_(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666)) {}

  ~open_file() {
    if (number_ >= 0)
      ::close(number_);
  }

  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  /// Writes all and closes; some file systems tell only then that it cannot be. On failure errno says why.
  bool put(std::string_view bytes) {
    return number_ >= 0 && write_all(number_, bytes) && ::close(std::exchange(number_, -1)) == 0;
  }

private:
  int number_;
};

/// The name at the end of a chain of links; nothing where one of them is no name but an open file of a
/// process, as in /dev/stdout.
std::optional<std::string> end_of_links(std::filesystem::path path) {
  namespace fs = std::filesystem;
  constexpr int links_max = 40; // as many as the system follows

  struct stat processes {};

  const bool has_processes = ::stat("/proc", &processes) == 0;
  for (int i = 0; i < links_max; ++i) {
    struct stat link {};

    if (::lstat(path.c_str(), &link) != 0 || !S_ISLNK(link.st_mode))
      break;
    if (has_processes && link.st_dev == processes.st_dev)
      return std::nullopt;
    std::error_code unreadable;
    const auto next = fs::read_symlink(path, unreadable);
    if (unreadable)
      break;
    path = path.parent_path() / next;
  }
  return path.string();
}

/// Writes a file whole or not at all.
result<void> replace_file(const std::string& path, std::string_view bytes) {
  const auto beside = path + "." + std::to_string(::getpid()) + ".part";
  if (open_file(beside, O_CREAT | O_TRUNC).put(bytes) && std::rename(beside.c_str(), path.c_str()) == 0)
    return {};
  auto why = failed(path);
  ::unlink(beside.c_str());
  return why;
}

} // namespace

result<void> write_output(const std::string& path, std::string_view bytes) {
  if (path.empty() || path == "-") {
    if (!write_all(STDOUT_FILENO, bytes))
      return failed("standard output");
    return {};
  }

  struct stat there {};

  const bool is_file = ::stat(path.c_str(), &there) == 0 ? S_ISREG(there.st_mode) : errno == ENOENT;
  if (const auto name = is_file ? end_of_links(path) : std::nullopt)
    return replace_file(*name, bytes);
  // Appending, for where standard output goes to a file something may be there already.
  if (!open_file(path, O_APPEND | O_NOCTTY).put(bytes))
    return failed(path);
  return {};
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text)
    out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
  return out;
}

} // namespace storemon
