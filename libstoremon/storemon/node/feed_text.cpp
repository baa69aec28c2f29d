#include "storemon/node/feed_text.hpp"

#include "storemon/model/local_text.hpp"

#include <chrono>

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

/// Empty for always.
std::string valid_from_text(std::chrono::local_days date) {
  return date == always_valid ? std::string() : date_text(date);
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
      to += time_text(row.start);
      to += ',';
      to += time_text(row.end);
      to += ',';
      to += valid_from_text(version.valid_from);
      to += '\n';
    }
    if (version.rows.empty()) { // open 24x7 from that date on
      to += id;
      to += ",,,,";
      to += valid_from_text(version.valid_from);
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
