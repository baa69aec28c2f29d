#pragma once

#include "storemon/ingest/feed.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// From bytes to records and fields (RFC 4180, with the rules of SEMANTICS section 1).
namespace storemon::ingest {

/// What stands at some place of a feed. A *physical line* ends at the next LF; a record is one or, with
/// quoted line breaks, several of them.
enum class extent_kind : uint8_t {
  plain,         ///< one physical line without a quote
  quoted,        ///< a record with at least one quote, well formed
  blank,         ///< a physical line of nothing
  bad_quoting,   ///< a physical line to be rejected; the record that it seems to begin is broken
  line_too_long, ///< a physical line to be rejected, longer than record_bytes_max
  unfinished,    ///< not decided by the bytes at hand
};

struct extent {
  extent_kind kind = extent_kind::unfinished;
  size_t size = 0;    ///< bytes before the line end (LF or CRLF)
  size_t next = 0;    ///< where the next one begins
  uint64_t lines = 1; ///< physical lines
};

/// Decides what stands in `text` where a record begins. The one place that knows where a record ends: both
/// the cut into chunks and the parsing of a chunk ask it.
///
/// A record that spans lines must end within record_bytes_max. One that does not, that is still open at the
/// end of the file, or that has text after a closing quote, is bad_quoting: only its first physical line
/// goes, so that a stray quote never takes more than its own line.
///
/// Asked for the records of a text one after the other it costs O(text), stray quotes or not. For all walks
/// that cross a line end do so within quotes: from there on they are the same walk, which is made once.
class record_finder {
public:
  /// @param at_end whether `text` ends where the file ends; without it answers may be `unfinished`.
  record_finder(std::string_view text, bool at_end) noexcept : text_(text), at_end_(at_end) {}

  /// What begins at `begin`, where a record begins. To be asked in ascending order.
  extent at(size_t begin) noexcept;

private:
  /// Between which bytes of a record a walk stands; the last two are its end.
  enum class place : uint8_t { field_begin, unquoted, quoted, quote_ended, returned, broken, ended };

  struct walk {
    size_t at = 0;
    place where = place::field_begin;
  };

  /// Walks on to the end of the record, or to `stop`.
  walk walk_on(walk from, size_t stop) const noexcept;

  /// Walks from the beginning of a record, whose first physical line ends at `line_end`.
  walk walk_from(size_t begin, size_t line_end, size_t stop) noexcept;

  std::string_view text_;
  bool at_end_;
  size_t joined_ = 0; ///< the first line end that the farthest walk crossed
  walk farthest_;     ///< crossed all line ends in [joined_, farthest_.at) within quotes
};

/// @returns the length of the longest prefix of `text` that is made of whole records; all of it at the end of
/// the file. Parsed alone, that prefix gives the records it gives as a part of the file.
size_t whole_records(std::string_view text, bool at_end) noexcept;

/// Reads the records of a chunk (a prefix by whole_records) one after the other, without copying but for the
/// fields that were quoted. Blank lines are passed over.
class record_reader {
public:
  /// @param fields_max how many leading fields of each record are looked at; further ones are dropped.
  record_reader(std::string_view chunk, size_t fields_max);

  /// Goes to the next record.
  /// @returns false at the end of the chunk.
  bool next();

  /// What comes after the record: next() goes on here.
  std::string_view rest() const noexcept { return {at_, static_cast<size_t>(end_ - at_)}; }

  /// Passes over one physical line, of `bytes` bytes with its line end, that the caller has read by himself.
  void pass_line(size_t bytes) noexcept {
    at_ += bytes;
    ++lines_;
  }

  /// Whether the record is a broken line (line_too_long or bad_quoting, no fields) rather than one.
  bool broken() const noexcept { return broken_; }

  /// Why; only if broken().
  reject_reason reason() const noexcept { return reason_; }

  /// The fields of the record, at most fields_max. The span lives until next(), the texts as long as
  /// the chunk and the reader.
  std::span<const std::string_view> fields() const noexcept { return {fields_.data(), count_}; }

  /// The record as it is written, without its line end.
  std::string_view text() const noexcept { return text_; }

  /// The number of the physical line the record begins in; the first of the chunk is 1.
  uint64_t line() const noexcept { return line_; }

  /// Physical lines passed so far, the record's own included.
  uint64_t lines() const noexcept { return lines_; }

private:
  /// The careful way: for records with quotes, long ones, and the last ones of a chunk.
  bool next_carefully();
  void split();
  std::string_view unescape(std::string_view field);

  const char* at_;
  const char* end_;
  std::string_view chunk_;
  record_finder finder_;
  std::vector<std::string_view> fields_;
  size_t count_ = 0;
  std::string_view text_;
  uint64_t line_ = 0;
  uint64_t lines_ = 0;
  bool broken_ = false;
  reject_reason reason_{};
  std::deque<std::string> unescaped_; ///< the chunk's fields that were written with `""`
};

} // namespace storemon::ingest
