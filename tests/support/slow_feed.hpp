#pragma once

#include "support/process.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

namespace storemon::test {

/// A feed whose reader has to wait, since its writer is the test: an import under way for as long as needed.
class slow_feed {
public:
  static constexpr std::string_view header = "store_id,status,timestamp_utc\n";

  /// Takes the place of the file of that name.
  explicit slow_feed(std::string path) : path_(std::move(path)) {
    std::filesystem::remove(path_);
    if (::mkfifo(path_.c_str(), 0600) != 0)
      throw std::system_error(errno, std::generic_category(), path_);
  }

  /// Returns once the reader has opened it.
  void await_reader() {
    const auto deadline = std::chrono::steady_clock::now() + process::wait_max;
    int file = -1;
    while ((file = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
      REQUIRE(errno == ENXIO); // nobody reads it yet
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    writer_.emplace(file);
  }

  void write(std::string_view text) const {
    REQUIRE(::write(*writer_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }

  void end() { writer_.reset(); }

private:
  std::string path_;
  std::optional<descriptor> writer_;
};

} // namespace storemon::test
