#include "storemon/node/kept_data.hpp"

#include "storemon/journal/data_directory.hpp"
#include "storemon/journal/sqlite_backend.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace storemon::node {

namespace fs = std::filesystem;

result<temporary_directory> temporary_directory::make_for(const std::string& path) {
  std::error_code unknown; // then there is but one place to try
  auto whole = fs::absolute(path).lexically_normal();
  if (!whole.has_filename()) // it ended with a slash
    whole = whole.parent_path();
  const auto name = whole.string() + ".check-XXXXXX";
  const auto other = fs::temp_directory_path(unknown) / "storemon-check-XXXXXX";
  auto made = name;
  if (::mkdtemp(made.data()))
    return temporary_directory(made);
  const auto why = error{errc::io_failed, name + ": " + std::strerror(errno)};
  made = other.string();
  if (unknown || !::mkdtemp(made.data()))
    return why;
  return temporary_directory(made);
}

temporary_directory::~temporary_directory() {
  std::error_code ignored; // there is nothing more to be done about it
  if (!path_.empty())
    fs::remove_all(path_, ignored);
}

result<kept_data> kept_data::open(const std::string& directory) {
  if (!fs::exists(fs::path(directory) / "CURRENT"))
    return error{errc::invalid_argument, directory + " is no data directory: it has no file CURRENT"};
  auto path = fs::absolute(directory).string();
  const auto lock = path + "/LOCK";
  std::optional<temporary_directory> copy;
  if (::access(lock.c_str(), R_OK | W_OK) != 0 || ::access(path.c_str(), W_OK) != 0) {
    auto made = temporary_directory::make_for(path);
    if (!made)
      return made.error();
    const auto copied = made->inside("data");
    if (auto done = journal::copy_data(path, copied); !done)
      return done.error();
    copy.emplace(std::move(*made));
    path = copied;
  }
  auto opened = journal::open_sqlite({path});
  if (!opened)
    return opened.error();
  return kept_data(std::move(copy), std::move(*opened));
}

} // namespace storemon::node
