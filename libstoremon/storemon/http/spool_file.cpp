#include "storemon/http/spool_file.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace storemon::http {

namespace {

error failure(int number) {
  if (number == ENOSPC || number == EDQUOT || number == EFBIG)
    return {errc::disk_full, "there is no room to receive the file"};
  return {errc::io_failed, "the file cannot be received: " + std::generic_category().message(number)};
}

} // namespace

spool_file::~spool_file() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT)
    spdlog::warn("http: {} is left behind: {}", path_, std::generic_category().message(errno));
}

result<void> spool_file::create() {
  constexpr mode_t owner_only = 0600;
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_only);
  if (descriptor_ < 0)
    return failure(errno);
  return {};
}

result<void> spool_file::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR)
      return failure(errno);
    bytes.remove_prefix(written < 0 ? 0 : static_cast<size_t>(written));
  }
  return {};
}

result<void> spool_file::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0)
    return failure(errno);
  return {};
}

} // namespace storemon::http
