#include "storemon/ingest/feed.hpp"

#include "storemon/ingest/records.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>

namespace storemon::ingest {

namespace {

/// The columns of a feed, each with the names it may have.
std::vector<std::vector<std::string_view>> columns_of(feed_kind kind) {
  switch (kind) {
  case feed_kind::status:
  case feed_kind::corrections:
    return {{"store_id"}, {"status"}, {"timestamp_utc"}};
  case feed_kind::hours:
    return {{"store_id"}, {"dayOfWeek", "day", "day_of_week"}, {"start_time_local"}, {"end_time_local"}};
  case feed_kind::timezones:
    return {{"store_id"}, {"timezone_str"}};
  case feed_kind::closures:
    return {{"store_id"}, {"from_utc"}, {"to_utc"}};
  case feed_kind::stores:
    return {{"store_id"}};
  }
  return {};
}

void add_name(std::string& list, std::string_view name) {
  if (!list.empty())
    list += ", ";
  list += name;
}

} // namespace

std::string_view to_string(reject_reason reason) noexcept {
  switch (reason) {
  case reject_reason::too_few_fields:
    return "too_few_fields";
  case reject_reason::bad_quoting:
    return "bad_quoting";
  case reject_reason::bad_store_id:
    return "bad_store_id";
  case reject_reason::bad_status:
    return "bad_status";
  case reject_reason::bad_timestamp:
    return "bad_timestamp";
  case reject_reason::bad_day:
    return "bad_day";
  case reject_reason::bad_time:
    return "bad_time";
  case reject_reason::bad_zone_name:
    return "bad_zone_name";
  case reject_reason::line_too_long:
    return "line_too_long";
  case reject_reason::in_the_future:
    return "in_the_future";
  case reject_reason::bad_json:
    return "bad_json";
  case reject_reason::not_an_object:
    return "not_an_object";
  case reject_reason::unknown_field:
    return "unknown_field";
  case reject_reason::repeated_field:
    return "repeated_field";
  case reject_reason::bad_date:
    return "bad_date";
  case reject_reason::bad_span:
    return "bad_span";
  }
  return "too_few_fields";
}

uint64_t rejects::total() const noexcept {
  return std::accumulate(count.begin(), count.end(), uint64_t{0});
}

void rejects::add(uint64_t line, reject_reason reason, std::string_view text) {
  constexpr size_t text_bytes_max = 200;
  ++count[static_cast<size_t>(reason)];
  if (samples.size() < samples_max)
    samples.push_back({line, reason, std::string(text.substr(0, text_bytes_max))});
}

void rejects::append(const rejects& later, uint64_t lines_before) {
  for (size_t i = 0; i < reject_reasons; ++i)
    count[i] += later.count[i];
  const auto taken = std::min(later.samples.size(), samples_max - samples.size());
  for (const auto& sample : std::span(later.samples).first(taken))
    samples.push_back({sample.line + lines_before, sample.reason, sample.text});
}

result<layout> read_header(feed_kind kind, std::string_view record) {
  // No header has more fields than bytes and one.
  record_reader reader(record, record.size() + 1);
  if (!reader.next() || reader.broken() || reader.text().size() != record.size())
    return error{errc::bad_feed, "the header line is not one well-formed record"};
  const auto fields = reader.fields();
  const auto columns = columns_of(kind);
  layout found;
  found.kind = kind;
  std::string missing;
  std::string repeated;
  for (size_t c = 0; c < columns.size(); ++c) {
    const auto& names = columns[c];
    const auto is_it = [&](std::string_view field) {
      return std::find(names.begin(), names.end(), field) != names.end();
    };
    const auto first = std::find_if(fields.begin(), fields.end(), is_it);
    if (first == fields.end()) {
      add_name(missing, names.front());
      continue;
    }
    if (std::find_if(first + 1, fields.end(), is_it) != fields.end())
      add_name(repeated, names.front());
    found.column[c] = static_cast<uint32_t>(first - fields.begin());
    found.fields_min = std::max(found.fields_min, found.column[c] + 1);
  }
  if (const auto dated = std::find(fields.begin(), fields.end(), "valid_from");
      kind == feed_kind::hours && dated != fields.end()) {
    if (std::find(dated + 1, fields.end(), "valid_from") != fields.end())
      add_name(repeated, "valid_from");
    found.valid_from = static_cast<uint32_t>(dated - fields.begin());
    found.fields_min = std::max(found.fields_min, *found.valid_from + 1);
  }
  const auto name = std::string(to_string(kind));
  if (!missing.empty())
    return error{errc::bad_feed, "the " + name + " feed's header lacks: " + missing};
  if (!repeated.empty())
    return error{errc::bad_feed, "the " + name + " feed's header names more than once: " + repeated};
  return found;
}

result<layout> read_header(std::string_view record) {
  std::optional<layout> fits;
  for (const auto kind : {feed_kind::status, feed_kind::hours, feed_kind::timezones}) {
    const auto found = read_header(kind, record);
    if (!found)
      continue;
    if (fits)
      return error{errc::bad_feed, "the header fits more than one feed"};
    fits = *found;
  }
  if (!fits)
    return error{errc::bad_feed, "the header fits none of the feeds"};
  return *fits;
}

} // namespace storemon::ingest
