#include "storemon/ingest/chunk_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace storemon::ingest {

namespace {

error refused(const std::string& name, const char* what) {
  return {errc::io_failed, std::string("cannot ") + what + " " + name + ": " + std::strerror(errno)};
}

} // namespace

descriptor::~descriptor() {
  if (number_ >= 0)
    ::close(number_);
}

chunk_reader::chunk_reader(descriptor file, uint64_t bytes_total, options how)
    : file_(std::move(file)), options_(std::move(how)), bytes_total_(bytes_total) {}

result<chunk_reader> chunk_reader::open(const std::string& path, const options& how) {
  auto named = how;
  if (named.name.empty())
    named.name = path;
  descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0)
    return refused(named.name, "open");

  struct stat facts {};

  if (::fstat(file.number(), &facts) != 0)
    return refused(named.name, "open");
  const auto size = S_ISREG(facts.st_mode) ? static_cast<uint64_t>(facts.st_size) : 0;
  chunk_reader reader(std::move(file), size, std::move(named));
  if (auto read = reader.read_header(); !read)
    return read.error();
  return reader;
}

result<void> chunk_reader::read_header() {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  chunk bytes;
  if (auto filled = fill(bytes, byte_order_mark.size()); !filled)
    return filled.error();
  if (bytes.text() != byte_order_mark)
    carried_ = bytes.text();
  for (;;) {
    if (auto read = next(bytes); !read)
      return read.error();
    auto text = bytes.text();
    if (text.empty())
      return error{errc::bad_feed, options_.name + " is empty: it has no header line"};
    while (!text.empty()) {
      const auto found = record_finder(text, true).at(0);
      header_lines_ += found.lines;
      if (found.kind == extent_kind::bad_quoting || found.kind == extent_kind::line_too_long)
        return error{errc::bad_feed,
                     "the header line of " + options_.name + " is not one well-formed record"};
      if (found.kind != extent_kind::blank) {
        header_ = text.substr(0, found.size);
        carried_.insert(0, text.substr(found.next));
        return {};
      }
      text.remove_prefix(found.next);
    }
  }
}

result<void> chunk_reader::next(chunk& into) {
  into.bytes_.resize(std::max(into.bytes_.size(), carried_.size()));
  std::copy(carried_.begin(), carried_.end(), into.bytes_.begin());
  into.size_ = std::exchange(carried_, {}).size();
  for (auto wanted = options_.chunk_bytes;; wanted = into.size_ + options_.chunk_bytes) {
    if (auto filled = fill(into, wanted); !filled)
      return filled;
    if (const auto whole = whole_records(into.text(), at_end_); whole > 0 || at_end_) {
      carried_ = into.text().substr(whole);
      into.size_ = whole;
      return {};
    }
    // What is undecided after so many bytes is a line whose end is not among them.
    if (into.size_ > record_bytes_max)
      if (auto skipped = skip_rest_of_line(into); !skipped)
        return skipped;
  }
}

result<void> chunk_reader::fill(chunk& into, size_t size) {
  into.bytes_.resize(std::max(into.bytes_.size(), size));
  while (!at_end_ && into.size_ < size) {
    const auto got = ::read(file_.number(), into.bytes_.data() + into.size_, size - into.size_);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return refused(options_.name, "read");
    at_end_ = got == 0;
    into.size_ += static_cast<size_t>(got);
    bytes_read_ += static_cast<uint64_t>(got);
  }
  return {};
}

result<void> chunk_reader::skip_rest_of_line(chunk& into) {
  constexpr auto kept = record_bytes_max + 1;
  do {
    into.size_ = kept;
    if (auto filled = fill(into, kept + options_.chunk_bytes); !filled)
      return filled;
    const auto rest = into.text().substr(kept);
    if (const auto line_end = rest.find('\n'); line_end != std::string_view::npos) {
      const auto begin = into.bytes_.begin() + kept;
      std::copy(begin + static_cast<ptrdiff_t>(line_end), begin + static_cast<ptrdiff_t>(rest.size()), begin);
      into.size_ -= line_end;
      return {};
    }
  } while (!at_end_);
  into.size_ = kept;
  return {};
}

} // namespace storemon::ingest
