#include "storemon/node/feed_export.hpp"

#include "storemon/node/feed_text.hpp"
#include "storemon/node/kept_data.hpp"
#include "storemon/node/rebuild.hpp"
#include "storemon/node/storage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>

namespace storemon::node {

namespace fs = std::filesystem;

namespace {

/// A feed's file being written; what is wrong with it is told at the end.
class feed_file {
public:
  feed_file(const std::string& directory, feed_kind feed)
      : feed_(feed), path_(directory + "/" + std::string(file_names_of(feed).front())) {}

  feed_file(const feed_file&) = delete;
  feed_file& operator=(const feed_file&) = delete;

  ~feed_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  feed_kind feed() const noexcept { return feed_; }

  const std::string& path() const noexcept { return path_; }

  /// Makes the file, with its header line.
  void begin() {
    constexpr mode_t everyone_reads = 0644;
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, everyone_reads);
    if (fd_ < 0)
      fail();
    write(feed_header(feed_));
  }

  /// Adds lines; begins the file with the first ones.
  void add(std::string_view lines) {
    if (lines.empty())
      return;
    if (fd_ < 0 && sound())
      begin();
    write(lines);
  }

  result<void> finish() {
    if (fd_ >= 0 && sound() && ::fsync(fd_) != 0)
      fail();
    return sound() ? result<void>() : result<void>(failure_);
  }

private:
  bool sound() const noexcept { return failure_.detail.empty(); }

  void write(std::string_view text) {
    while (sound() && !text.empty()) {
      const auto count = ::write(fd_, text.data(), text.size());
      if (count < 0 && errno != EINTR)
        fail();
      else if (count > 0)
        text.remove_prefix(static_cast<size_t>(count));
    }
  }

  void fail() {
    const auto code = errno == ENOSPC   ? errc::disk_full
                      : errno == EEXIST ? errc::invalid_argument
                                        : errc::io_failed;
    failure_ = {code, path_ + ": " + std::strerror(errno)};
  }

  feed_kind feed_;
  std::string path_;
  int fd_ = -1;
  error failure_{errc::ok, ""};
};

/// Whether data without a line for the feed have its file all the same.
bool always_written(feed_kind feed) noexcept {
  return feed == feed_kind::status || feed == feed_kind::hours || feed == feed_kind::timezones;
}

/// Makes the directory where there is none, and sees that it has no feed yet: one of an earlier export would
/// be imported with those of this one.
result<void> prepare(const std::string& directory, const std::deque<feed_file>& files) {
  std::error_code failure;
  fs::create_directories(directory, failure);
  if (failure)
    return error{errc::io_failed, directory + ": " + failure.message()};
  for (const auto& file : files)
    if (fs::exists(file.path(), failure))
      return error{errc::invalid_argument, file.path() + ": " + std::strerror(EEXIST)};
  return {};
}

} // namespace

result<void> export_feeds(const std::string& data_directory, const std::string& to) {
  const auto kept = kept_data::open(data_directory);
  if (!kept)
    return kept.error();
  const auto partitions = partitions_of(kept->backend());
  if (!partitions)
    return partitions.error();
  std::deque<feed_file> files; // they cannot be moved
  for (const auto feed : all_feeds)
    files.emplace_back(to, feed);
  if (auto prepared = prepare(to, files); !prepared)
    return prepared;
  for (auto& file : files)
    if (always_written(file.feed()))
      file.begin();
  std::string text;
  for (uint32_t p = 0; p < *partitions; ++p) {
    auto data = rebuild(kept->backend(), p);
    if (!data)
      return data.error();
    data->for_each_store([&](const partition::store& s) {
      for (auto& file : files) {
        text.clear();
        append_feed_lines(file.feed(), s, text);
        file.add(text);
      }
    });
  }
  for (auto& file : files)
    if (auto done = file.finish(); !done)
      return done;
  return {};
}

} // namespace storemon::node
