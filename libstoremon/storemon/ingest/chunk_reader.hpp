#pragma once

#include "storemon/ingest/records.hpp"
#include "storemon/model/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storemon::ingest {

/// A piece of a feed's file, made of whole records. Given to chunk_reader::next() again, its memory is used
/// again.
class chunk {
public:
  std::string_view text() const noexcept { return {bytes_.data(), size_}; }

private:
  friend class chunk_reader;

  std::vector<char> bytes_;
  size_t size_ = 0;
};

/// An open file of the operating system's.
class descriptor {
public:
  explicit descriptor(int number) noexcept : number_(number) {}

  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  ~descriptor();

  int number() const noexcept { return number_; }

private:
  int number_;
};

/// Reads a feed's file front to back. Blocks in read(2); for one thread at a time.
class chunk_reader {
public:
  struct options {
    /// How much is read at a time. A chunk takes at most twice that and record_bytes_max.
    size_t chunk_bytes = size_t{1} << 20;
    std::string name{}; ///< what errors call the file; empty: its path
  };

  /// Opens a file and reads its header record: the first that is not blank. A UTF-8 byte order mark before it
  /// is passed over.
  /// @returns errc::io_failed naming the file and the reason; errc::bad_feed when it has no well-formed
  /// header.
  static result<chunk_reader> open(const std::string& path, const options& how);

  static result<chunk_reader> open(const std::string& path) { return open(path, options()); }

  /// The header record, without its line end.
  const std::string& header() const noexcept { return header_; }

  /// Physical lines up to the end of the header: so many stand before the first chunk's.
  uint64_t header_lines() const noexcept { return header_lines_; }

  /// Fills `into` with the next whole records; it is left empty at the end of the file. Of a line longer than
  /// record_bytes_max only so much is kept that it still is too long.
  /// @returns errc::io_failed naming the file and the reason.
  result<void> next(chunk& into);

  uint64_t bytes_read() const noexcept { return bytes_read_; }

  /// The size the file had when it was opened; 0 for what has none, as a pipe.
  uint64_t bytes_total() const noexcept { return bytes_total_; }

private:
  chunk_reader(descriptor file, uint64_t bytes_total, options how);

  result<void> read_header();

  /// Reads until the chunk has `size` bytes or the file ends.
  result<void> fill(chunk& into, size_t size);

  /// Reads past the end of a line that is too long already.
  result<void> skip_rest_of_line(chunk& into);

  descriptor file_;
  options options_;
  uint64_t bytes_total_;
  uint64_t bytes_read_ = 0;
  bool at_end_ = false;
  std::string header_;
  uint64_t header_lines_ = 0;
  std::string carried_; ///< what was read beyond the last chunk
};

} // namespace storemon::ingest
