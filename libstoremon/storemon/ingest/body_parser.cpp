#include "storemon/ingest/body_parser.hpp"

#include "storemon/ingest/feed_parser.hpp"
#include "storemon/ingest/json_row.hpp"

#include <algorithm>
#include <string>

namespace storemon::ingest {

namespace {

constexpr auto white_space = std::string_view(" \t\r\n");

error too_large(const body_limits& limits) {
  return {errc::too_large, "the body has more than " + std::to_string(limits.records_max) + " records"};
}

/// Keeps what a router emits.
struct keep_parts {
  std::vector<partition_rows>* parts;

  void operator()(uint32_t partition, observation_rows&& rows) const {
    parts->push_back({partition, std::move(rows)});
  }

  template <class Other>
  void operator()(uint32_t, Other&&) const {} // a status feed has no other rows
};

/// So that all rows of a partition go in one batch: body_limits sees to it that the router forgets no store.
/// @param row_bytes  an estimate; a wrong one costs memory or a copy
router_options routing_for(std::string_view body, size_t row_bytes, uint32_t partitions,
                           const body_limits& limits) {
  const auto rows = std::min(body.size() / row_bytes + 1, limits.records_max);
  router_options options;
  options.partitions = partitions;
  options.rows_max = limits.records_max;
  options.rows_expected = rows / partitions * 3 / 2 + 1;
  options.stores_expected = options.rows_expected;
  options.ids_expected = rows;
  return options;
}

constexpr size_t csv_row_bytes = 56;
constexpr size_t json_row_bytes = 108;

std::string place_of(std::string_view text, size_t at) {
  const auto before = text.substr(0, at);
  const auto line_begin = before.rfind('\n') + 1; // npos + 1 is the begin
  return "line " + std::to_string(1 + std::count(before.begin(), before.end(), '\n')) + ", column " +
         std::to_string(1 + at - line_begin);
}

/// Reads bodies of JSON objects.
class json_body {
public:
  json_body(std::string_view text, uint32_t partitions, const body_limits& limits)
      : text_(text), limits_(limits), reader_(text),
        router_(routing_for(text, json_row_bytes, partitions, limits), keep_parts{&read_.parts}) {}

  json_body(const json_body&) = delete;

  result<body_rows> read_array() {
    size_t at = skip_space(0);
    const bool is_array = text_.substr(at).starts_with('[');
    if (is_array)
      at = skip_space(at + 1);
    if (is_array && text_.substr(at).starts_with(']'))
      return end_at(at + 1);
    for (uint64_t number = 1;; ++number) {
      if (number > limits_.records_max)
        return too_large(limits_);
      json_row row;
      if (!reader_.read(at, text_.size(), row))
        return malformed(at + row.bytes, reader_.failure().message());
      take(number, row, text_.substr(at, row.bytes));
      at = skip_space(at + row.bytes);
      if (!is_array)
        return end_at(at);
      const auto rest = text_.substr(at);
      if (rest.starts_with(']'))
        return end_at(at + 1);
      if (!rest.starts_with(','))
        return malformed(at, "a comma or the end of the array is missing");
      at = skip_space(at + 1);
    }
  }

  result<body_rows> read_lines() {
    uint64_t records = 0;
    uint64_t line = 0;
    for (size_t begin = 0, end = 0; begin < text_.size(); begin = end + 1) {
      end = std::min(text_.find('\n', begin), text_.size());
      ++line;
      const auto from = skip_space(begin, end);
      if (from == end)
        continue;
      if (++records > limits_.records_max)
        return too_large(limits_);
      read_line(line, from, end);
    }
    return finish();
  }

private:
  size_t skip_space(size_t at) const { return skip_space(at, text_.size()); }

  size_t skip_space(size_t at, size_t end) const {
    return std::min(text_.substr(0, end).find_first_not_of(white_space, at), end);
  }

  void read_line(uint64_t line, size_t from, size_t end) {
    const auto record = text_.substr(from, end - from);
    json_row row;
    if (record.size() > record_bytes_max)
      row.why = reject_reason::line_too_long;
    else if (!reader_.read(from, end, row) || skip_space(from + row.bytes, end) < end)
      row.why = reject_reason::bad_json;
    take(line, row, record);
  }

  void take(uint64_t number, json_row& row, std::string_view record) {
    static constexpr layout where{feed_kind::status, {0, 1, 2, 0}, 3};
    status_row status;
    const auto why = row.why ? row.why : read_row(where, row.fields, timestamps_, limits_.latest, status);
    if (why) {
      const auto end = record.find_last_not_of(white_space);
      read_.rejected.add(number, *why, record.substr(0, end + 1));
      return;
    }
    ++read_.rows;
    router_.add(status.store, status.seen);
  }

  result<body_rows> end_at(size_t at) {
    if (const auto rest = skip_space(at); rest != text_.size())
      return malformed(rest, "there is more than one value");
    return finish();
  }

  result<body_rows> finish() {
    router_.flush();
    return std::move(read_);
  }

  error malformed(size_t at, const std::string& why) const {
    return {errc::invalid_argument,
            "the body is not well-formed JSON: " + why + " (" + place_of(text_, at) + ")"};
  }

  std::string_view text_;
  const body_limits& limits_;
  json_row_reader reader_;
  timestamp_reader timestamps_;
  body_rows read_;
  dictionary_router<observation_rows, observation, keep_parts> router_;
};

result<body_rows> read_csv(std::string_view text, uint32_t partitions, const body_limits& limits) {
  record_reader header(text, 1);
  if (!header.next())
    return error{errc::invalid_argument, "the body has no header line"};
  const auto where = read_header(feed_kind::status, header.text());
  if (!where)
    return error{errc::invalid_argument, where.error().detail};
  body_rows read;
  feed_parser parser(*where, routing_for(text, csv_row_bytes, partitions, limits), keep_parts{&read.parts},
                     limits.latest);
  auto lines = header.lines();
  // In pieces, so that a body that is far too large costs no more than one that is a little.
  auto piece_bytes = size_t{1} << 20;
  for (auto rest = header.rest(); !rest.empty();) {
    const auto size = whole_records(rest.substr(0, piece_bytes), piece_bytes >= rest.size());
    if (size == 0) {
      piece_bytes *= 2;
      continue;
    }
    const auto summary = parser.parse(rest.substr(0, size));
    read.rows += summary.rows;
    read.rejected.append(summary.rejected, lines);
    lines += summary.lines;
    rest.remove_prefix(size);
    if (read.rows + read.rejected.total() > limits.records_max)
      return too_large(limits);
  }
  parser.flush();
  return read;
}

result<body_rows> read_format(protocol::body_format format, std::string_view text, uint32_t partitions,
                              const body_limits& limits) {
  switch (format) {
  case protocol::body_format::csv:
    return read_csv(text, partitions, limits);
  case protocol::body_format::json:
    return json_body(text, partitions, limits).read_array();
  case protocol::body_format::ndjson:
    return json_body(text, partitions, limits).read_lines();
  }
  return error{errc::invalid_argument, "the body's form is unknown"};
}

} // namespace

result<body_rows> read_body(protocol::body_format format, std::string_view body, uint32_t partitions,
                            const body_limits& limits) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (body.starts_with(byte_order_mark))
    body.remove_prefix(byte_order_mark.size());
  auto read = read_format(format, body, partitions, limits);
  if (read && read->rows + read->rejected.total() == 0)
    return error{errc::invalid_argument, "the body holds no observation"};
  return read;
}

} // namespace storemon::ingest
