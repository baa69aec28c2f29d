#include "storemon/node/feed_text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace storemon::node {

namespace {

/// A field as RFC 4180 has it: quoted where it must be.
void append_field(std::string_view text, std::string& to) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    to += text;
    return;
  }
  to += '"';
  for (const char c : text) {
    if (c == '"')
      to += '"';
    to += c;
  }
  to += '"';
}

/// `HH:MM:SS`, with microseconds where there are any.
void append_time_of_day(duration since_midnight, std::string& to) {
  const auto us = since_midnight.count();
  const auto seconds = us / 1'000'000;
  auto out = std::back_inserter(to);
  fmt::format_to(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (us % 1'000'000 != 0)
    fmt::format_to(out, ".{:06}", us % 1'000'000);
}

/// `YYYY-MM-DD`; empty for always.
void append_date(std::chrono::local_days date, std::string& to) {
  if (date == always_valid)
    return;
  const std::chrono::year_month_day d(date);
  fmt::format_to(std::back_inserter(to), "{:04}-{:02}-{:02}", static_cast<int>(d.year()),
                 static_cast<unsigned>(d.month()), static_cast<unsigned>(d.day()));
}

/// `YYYY-MM-DD HH:MM:SS.ffffff UTC`.
void append_instant(instant at, std::string& to) {
  auto text = to_rfc3339(at);
  text[text.find('T')] = ' ';
  text.back() = ' ';
  to += text;
  to += "UTC";
}

void append_polls(const partition::store& s, std::string_view id, std::string& to) {
  partition::for_each_poll(s, instant::min(), instant::max(), [&](observation o) {
    to += id;
    to += o.active() ? ",active," : ",inactive,";
    append_instant(o.at(), to);
    to += '\n';
  });
}

void append_hours(const partition::store& s, std::string_view id, std::string& to) {
  for (const auto& version : s.hours) {
    for (const auto& row : version.rows) {
      to += id;
      to += ',';
      to += static_cast<char>('0' + row.day);
      to += ',';
      append_time_of_day(row.start, to);
      to += ',';
      append_time_of_day(row.end, to);
      to += ',';
      append_date(version.valid_from, to);
      to += '\n';
    }
    if (version.rows.empty()) { // open 24x7 from that date on
      to += id;
      to += ",,,,";
      append_date(version.valid_from, to);
      to += '\n';
    }
  }
}

} // namespace

std::string_view feed_header(protocol::feed_kind feed) {
  switch (feed) {
  case protocol::feed_kind::hours:
    return "store_id,day,start_time_local,end_time_local,valid_from\n";
  case protocol::feed_kind::timezones:
    return "store_id,timezone_str\n";
  case protocol::feed_kind::status:
    break;
  }
  return "store_id,status,timestamp_utc\n";
}

void append_feed_lines(protocol::feed_kind feed, const partition::store& s, std::string& to) {
  std::string id;
  append_field(s.id, id);
  switch (feed) {
  case protocol::feed_kind::status:
    append_polls(s, id, to);
    break;
  case protocol::feed_kind::hours:
    append_hours(s, id, to);
    break;
  case protocol::feed_kind::timezones:
    if (!s.zone_given().empty()) {
      to += id + ",";
      append_field(s.zone_given(), to);
      to += '\n';
    }
    break;
  }
}

} // namespace storemon::node
