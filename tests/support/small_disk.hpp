#pragma once

#include "support/scratch_directory.hpp"

#include <sys/mount.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace storemon::test {

/// A file system of 16 MiB, where the test may mount one.
class small_disk {
public:
  small_disk() : path_(scratch_.path() / "small") {
    std::filesystem::create_directory(path_);
    mounted_ = ::mount("none", path_.c_str(), "tmpfs", 0, "size=16m") == 0;
    if (!mounted_)
      std::printf("skipped, no file system may be mounted here: %s\n", std::strerror(errno));
  }

  ~small_disk() {
    if (mounted_)
      ::umount2(path_.c_str(), MNT_DETACH);
  }

  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  bool mounted() const noexcept { return mounted_; }

  const std::filesystem::path& path() const noexcept { return path_; }

private:
  scratch_directory scratch_;
  std::filesystem::path path_;
  bool mounted_ = false;
};

} // namespace storemon::test
