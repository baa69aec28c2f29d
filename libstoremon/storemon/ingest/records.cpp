#include "storemon/ingest/records.hpp"

#include "storemon/ingest/delimiters.hpp"

#include <algorithm>
#include <bit>

namespace storemon::ingest {

namespace {

constexpr auto npos = std::string_view::npos;

/// The closing quote of a field whose content begins at `from`; npos when it is not there.
size_t closing_quote(std::string_view text, size_t from) noexcept {
  for (auto at = text.find('"', from); at != npos; at = text.find('"', at + 2))
    if (at + 1 == text.size() || text[at + 1] != '"')
      return at;
  return npos;
}

/// The extent of what ends before `end`: there stands an LF, or the file ends.
extent extent_to(std::string_view text, size_t end, extent_kind kind, uint64_t lines = 1) noexcept {
  const auto size = text.substr(0, end).ends_with('\r') ? end - 1 : end;
  return {kind, size, std::min(end + 1, text.size()), lines};
}

} // namespace

record_finder::walk record_finder::walk_on(walk from, size_t stop) const noexcept {
  using enum place;
  auto [at, where] = from;
  for (; at < stop; ++at) {
    const char c = text_[at];
    switch (where) {
    case field_begin:
    case unquoted:
      if (c == '\n')
        return {at, ended};
      if (c == ',')
        where = field_begin;
      else
        where = c == '"' && where == field_begin ? quoted : unquoted;
      break;
    case quoted:
      at = std::min(text_.substr(0, stop).find('"', at), stop - 1);
      if (text_[at] == '"')
        where = quote_ended;
      break;
    case quote_ended:
      if (c == '\n')
        return {at, ended};
      if (c == ',')
        where = field_begin;
      else if (c == '"')
        where = quoted;
      else if (c == '\r')
        where = returned;
      else
        return {at, broken};
      break;
    case returned:
      return {at, c == '\n' ? ended : broken};
    case broken:
    case ended:
      return from;
    }
  }
  return {at, where};
}

record_finder::walk record_finder::walk_from(size_t begin, size_t line_end, size_t stop) noexcept {
  const auto own = walk_on({begin, place::field_begin}, line_end);
  if (own.where != place::quoted)
    return walk_on(own, stop);
  if (line_end < joined_ || line_end >= farthest_.at) {
    joined_ = line_end;
    farthest_ = own;
  }
  farthest_ = walk_on(farthest_, stop);
  return farthest_;
}

extent record_finder::at(size_t begin) noexcept {
  const auto rest = text_.substr(begin);
  // A record of the greatest length and its line end fit in exactly.
  const auto window = rest.substr(0, record_bytes_max + 1);
  const bool filled = window.size() > record_bytes_max;
  auto line_end = window.find('\n');
  if (line_end == npos) {
    line_end = rest.find('\n', window.size());
    if (line_end == npos && !at_end_)
      return {};
    line_end = std::min(line_end, rest.size());
    if (filled)
      return extent_to(rest, line_end, extent_kind::line_too_long);
  }
  const auto line = extent_to(rest, line_end, extent_kind::plain);
  if (line.size == 0)
    return {extent_kind::blank, line.size, line.next, line.lines};
  if (rest.substr(0, line.size).find('"') == npos)
    return line;

  const auto walked = walk_from(begin, begin + line_end, begin + window.size());
  auto record_end = walked.at - begin;
  if (walked.where != place::ended) {
    if (walked.where != place::broken && !filled && !at_end_)
      return {};
    if (walked.where == place::broken || walked.where == place::quoted || filled)
      return extent_to(rest, line_end, extent_kind::bad_quoting);
    record_end = rest.size();
  }
  const auto* const first = rest.data();
  const auto further = record_end > line_end ? std::count(first + line_end, first + record_end, '\n') : 0;
  return extent_to(rest, record_end, extent_kind::quoted, 1 + static_cast<uint64_t>(further));
}

size_t whole_records(std::string_view text, bool at_end) noexcept {
  if (at_end)
    return text.size();
  size_t at = 0;
  record_finder records(text, at_end);
  for (;;) {
    // Lines without quotes are records, so only the lines that have some need a look.
    const auto quote = text.find('"', at);
    if (const auto feed = text.substr(at, quote - at).rfind('\n'); feed != npos)
      at += feed + 1;
    if (quote == npos)
      return at;
    const auto found = records.at(at);
    if (found.kind == extent_kind::unfinished)
      return at;
    at += found.next;
  }
}

record_reader::record_reader(std::string_view chunk, size_t fields_max)
    : at_(chunk.data()), end_(chunk.data() + chunk.size()), chunk_(chunk), finder_(chunk, true),
      fields_(fields_max) {}

bool record_reader::next() {
  using namespace delimiters;
  const auto find = [this](const char* block) {
    return end_ - block >= block_bytes ? find_in_block(block)
                                       : find_bytewise(block, static_cast<int>(end_ - block));
  };
  while (at_ != end_) {
    const char* block = at_;
    const char* field = at_;
    size_t count = 0;
    auto marks = find(block);
    for (;;) {
      while (marks == 0) {
        block += block_bytes;
        if (block >= end_ || block - at_ + block_bytes > static_cast<ptrdiff_t>(record_bytes_max))
          return next_carefully();
        marks = find(block);
      }
      const char* const mark = block + std::countr_zero(marks);
      marks &= marks - 1;
      if (*mark == '"')
        return next_carefully();
      const bool ends = *mark == '\n';
      const char* const field_end = ends && mark != field && mark[-1] == '\r' ? mark - 1 : mark;
      if (count < fields_.size())
        fields_[count++] = {field, static_cast<size_t>(field_end - field)};
      field = mark + 1;
      if (!ends)
        continue;
      text_ = {at_, static_cast<size_t>(field_end - at_)};
      at_ = field;
      ++lines_;
      break;
    }
    if (text_.empty())
      continue;
    count_ = count;
    line_ = lines_;
    broken_ = false;
    return true;
  }
  return false;
}

bool record_reader::next_carefully() {
  while (at_ != end_) {
    const auto begin = static_cast<size_t>(at_ - chunk_.data());
    const auto found = finder_.at(begin);
    at_ += found.next;
    line_ = lines_ + 1;
    lines_ += found.lines;
    if (found.kind == extent_kind::blank)
      continue;
    text_ = chunk_.substr(begin, found.size);
    count_ = 0;
    broken_ = found.kind == extent_kind::bad_quoting || found.kind == extent_kind::line_too_long;
    if (broken_)
      reason_ =
          found.kind == extent_kind::bad_quoting ? reject_reason::bad_quoting : reject_reason::line_too_long;
    else
      split();
    return true;
  }
  return false;
}

void record_reader::split() {
  for (size_t at = 0; at <= text_.size() && count_ < fields_.size(); ++at) {
    if (at == text_.size() || text_[at] != '"') {
      const auto end = std::min(text_.find(',', at), text_.size());
      fields_[count_++] = text_.substr(at, end - at);
      at = end;
      continue;
    }
    const auto close = closing_quote(text_, at + 1);
    auto field = text_.substr(at + 1, close - at - 1);
    if (field.find('"') != npos)
      field = unescape(field);
    fields_[count_++] = field;
    at = close + 1;
  }
}

std::string_view record_reader::unescape(std::string_view field) {
  auto& text = unescaped_.emplace_back();
  for (size_t i = 0; i < field.size(); ++i) {
    text += field[i];
    // Between the quotes of a field, quotes come in pairs.
    if (field[i] == '"')
      ++i;
  }
  return text;
}

} // namespace storemon::ingest
