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

/// `YYYY-MM-DD HH:MM:SS.ffffff UTC`. What was given with an offset and is of no year from 0000 to 9999 in UTC
/// is written with one again, for else nobody could read it.
void append_instant(instant at, std::string& to) {
  using namespace std::chrono;
  constexpr auto offset = hours(23) + minutes(59); // the farthest there is
  const auto year = year_month_day(floor<days>(at)).year();
  const char* zone = " UTC";
  if (year > std::chrono::year(9999)) {
    at -= offset;
    zone = "-23:59";
  } else if (year < std::chrono::year(0)) {
    at += offset;
    zone = "+23:59";
  }
  auto text = to_rfc3339(at);
  text[text.find('T')] = ' ';
  text.pop_back(); // the Z
  to += text;
  to += zone;
}

void append_poll(std::string_view id, observation o, std::string& to) {
  to += id;
  to += o.active() ? ",active," : ",inactive,";
  append_instant(o.at(), to);
  to += '\n';
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

void append_closures(const partition::store& s, std::string_view id, std::string& to) {
  for (const auto& closure : s.closures) {
    to += id;
    to += ',';
    append_instant(closure.from, to);
    to += ',';
    append_instant(closure.to, to);
    to += '\n';
  }
}

} // namespace

std::string_view feed_header(feed_kind feed) {
  switch (feed) {
  case feed_kind::hours:
    return "store_id,day,start_time_local,end_time_local,valid_from\n";
  case feed_kind::timezones:
    return "store_id,timezone_str\n";
  case feed_kind::closures:
    return "store_id,from_utc,to_utc\n";
  case feed_kind::stores:
    return "store_id\n";
  case feed_kind::status:
  case feed_kind::corrections:
    break;
  }
  return "store_id,status,timestamp_utc\n";
}

void append_feed_lines(feed_kind feed, const partition::store& s, std::string& to) {
  std::string id;
  append_field(s.id, id);
  const auto append = [&](observation o) { append_poll(id, o, to); };
  switch (feed) {
  case feed_kind::status:
    partition::for_each_poll(s, instant::min(), instant::max(), append);
    break;
  case feed_kind::hours:
    append_hours(s, id, to);
    break;
  case feed_kind::timezones:
    if (!s.zone_given().empty()) {
      to += id + ",";
      append_field(s.zone_given(), to);
      to += '\n';
    }
    break;
  case feed_kind::closures:
    append_closures(s, id, to);
    break;
  case feed_kind::corrections:
    partition::for_each_correction(s, append);
    break;
  case feed_kind::stores:
    to += id + '\n';
    break;
  }
}

} // namespace storemon::node
