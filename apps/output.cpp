#include "output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

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

} // namespace

result<void> write_output(const std::string& path, std::string_view bytes) {
  if (path.empty() || path == "-") {
    if (!write_all(STDOUT_FILENO, bytes))
      return failed("standard output");
    return {};
  }
  const auto beside = path + "." + std::to_string(::getpid()) + ".part";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0)
    return failed(path);
  const bool written = write_all(file, bytes);
  auto why = failed(path);
  if (::close(file) != 0 || !written || std::rename(beside.c_str(), path.c_str()) != 0) {
    if (written)
      why = failed(path);
    ::unlink(beside.c_str());
    return why;
  }
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
