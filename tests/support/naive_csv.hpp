#pragma once

#include "storemon/ingest/feed.hpp"
#include "storemon/ingest/feed_parser.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

/// The rules of SEMANTICS section 1 once more, byte by byte and without a thought of speed: what the ingest
/// room is held against. Shares no code with it but the model's parsers of times.
namespace naive {

using storemon::ingest::reject_reason;

struct record {
  uint64_t line = 0;
  std::optional<reject_reason> broken;
  std::vector<std::string> fields;
  std::string text;

  friend bool operator==(const record&, const record&) = default;
};

inline void strip_return(std::string& text) {
  if (!text.empty() && text.back() == '\r')
    text.pop_back();
}

/// Tries to read one record at `i`; `i` is after its line end if that works.
inline std::optional<std::vector<std::string>> read_record(std::string_view s, size_t& i, uint64_t& line) {
  enum class state { start, plain, quoted, quote_ended, returned } at = state::start;
  std::vector<std::string> fields;
  std::string field;
  uint64_t lines = 1;
  const auto push = [&] {
    fields.push_back(field);
    field.clear();
    at = state::start;
  };
  for (size_t j = i;; ++j) {
    if (j - i > storemon::ingest::record_bytes_max)
      return std::nullopt;
    const bool end_of_file = j == s.size();
    const char c = end_of_file ? '\n' : s[j];
    if (end_of_file && at == state::quoted)
      return std::nullopt;
    bool ended = false;
    switch (at) {
    case state::start:
    case state::plain:
      if (c == '"' && at == state::start)
        at = state::quoted;
      else if (c == ',')
        push();
      else if (c == '\n')
        ended = true;
      else {
        at = state::plain;
        field += c;
      }
      if (ended)
        strip_return(field);
      break;
    case state::quoted:
      if (c == '"')
        at = state::quote_ended;
      else
        field += c;
      lines += c == '\n';
      break;
    case state::quote_ended:
      if (c == '"') {
        field += c;
        at = state::quoted;
      } else if (c == ',')
        push();
      else if (c == '\n')
        ended = true;
      else if (c == '\r')
        at = state::returned;
      else
        return std::nullopt;
      break;
    case state::returned:
      if (c != '\n')
        return std::nullopt;
      ended = true;
      break;
    }
    if (ended) {
      push();
      i = end_of_file ? j : j + 1;
      line += lines;
      return fields;
    }
  }
}

/// All records of a text, broken lines among them, blank lines left out. `lines`, if given, gets how many
/// physical lines there are.
inline std::vector<record> read_records(std::string_view s, uint64_t* lines = nullptr) {
  std::vector<record> all;
  uint64_t line = 1;
  for (size_t i = 0; i < s.size();) {
    size_t end = i;
    while (end < s.size() && s[end] != '\n')
      ++end;
    const auto next = std::min(end + 1, s.size());
    std::string physical(s.substr(i, end - i));
    record r;
    r.line = line;
    const auto begin = i;
    if (physical.size() > storemon::ingest::record_bytes_max)
      r.broken = reject_reason::line_too_long;
    strip_return(physical);
    if (!r.broken && physical.empty()) {
      i = next;
      ++line;
      continue;
    }
    if (!r.broken) {
      if (auto fields = read_record(s, i, line)) {
        r.fields = *fields;
        r.text = s.substr(begin, i - begin);
        if (!r.text.empty() && r.text.back() == '\n')
          r.text.pop_back();
        strip_return(r.text);
        all.push_back(r);
        continue;
      }
      r.broken = reject_reason::bad_quoting;
    }
    r.text = physical;
    all.push_back(r);
    i = next;
    ++line;
  }
  if (lines != nullptr)
    *lines = line - 1;
  return all;
}

/// A row of any feed, in a form that sorts: the store, then what is said of it.
using row = std::tuple<std::string, int64_t, int64_t, int64_t, std::string>;

struct reject {
  uint64_t line = 0;
  reject_reason reason{};
  std::string text;

  friend bool operator==(const reject&, const reject&) = default;
};

struct outcome {
  std::vector<row> rows; ///< sorted
  std::vector<reject> rejects;
  std::vector<uint64_t> counts = std::vector<uint64_t>(storemon::ingest::reject_reasons);
  uint64_t lines = 0;

  friend bool operator==(const outcome&, const outcome&) = default;
};

inline row row_of(std::string_view id, const storemon::observation& o) {
  return {std::string(id), o.at().time_since_epoch().count(), o.active(), 0, ""};
}

inline row row_of(std::string_view id, const storemon::hours_row& h) {
  return {std::string(id), h.day, h.start.count(), h.end.count(), ""};
}

inline row row_of(std::string_view id, std::string_view zone) {
  return {std::string(id), 0, 0, 0, std::string(zone)};
}

inline row row_of(std::string_view id, const storemon::interval& span) {
  return {std::string(id), span.from.time_since_epoch().count(), span.to.time_since_epoch().count(), 0, ""};
}

inline row row_of(std::string_view id) {
  return {std::string(id), 0, 0, 0, ""};
}

inline std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c + 32);
  return text;
}

/// What a feed's text (without its header) holds.
inline outcome parse(const storemon::ingest::layout& where, std::string_view text,
                     uint64_t lines_before = 0) {
  using storemon::feed_kind;
  outcome all;
  for (const auto& r : read_records(text, &all.lines)) {
    auto why = r.broken;
    const auto column = [&](int c) { return r.fields[where.column[static_cast<size_t>(c)]]; };
    if (!why && r.fields.size() < where.fields_min)
      why = reject_reason::too_few_fields;
    if (!why && (column(0).empty() || column(0).size() > 128))
      why = reject_reason::bad_store_id;
    if (!why && where.kind == feed_kind::stores) {
      all.rows.push_back(row_of(column(0)));
    } else if (!why && where.kind == feed_kind::closures) {
      const auto from = storemon::parse_instant(column(1));
      const auto to = storemon::parse_instant(column(2));
      if (!from || !to)
        why = reject_reason::bad_timestamp;
      else if (*from >= *to)
        why = reject_reason::bad_span;
      else
        all.rows.push_back(row_of(column(0), {*from, *to}));
    } else if (!why && (where.kind == feed_kind::status || where.kind == feed_kind::corrections)) {
      const auto status = lower(column(1));
      const auto at = storemon::parse_instant(column(2));
      if (status != "active" && status != "inactive")
        why = reject_reason::bad_status;
      else if (!at)
        why = reject_reason::bad_timestamp;
      else
        all.rows.push_back({column(0), at->time_since_epoch().count(), status == "active", 0, ""});
    } else if (!why && where.kind == feed_kind::hours) {
      const auto start = storemon::parse_time_of_day(column(2), false);
      const auto end = storemon::parse_time_of_day(column(3), true);
      if (column(1).size() != 1 || column(1)[0] < '0' || column(1)[0] > '6')
        why = reject_reason::bad_day;
      else if (!start || !end)
        why = reject_reason::bad_time;
      else
        all.rows.push_back({column(0), column(1)[0] - '0', start->count(), end->count(), ""});
    } else if (!why) {
      if (column(1).empty() || column(1).size() > 64)
        why = reject_reason::bad_zone_name;
      else
        all.rows.push_back({column(0), 0, 0, 0, column(1)});
    }
    if (!why)
      continue;
    ++all.counts[static_cast<size_t>(*why)];
    if (all.rejects.size() < 100)
      all.rejects.push_back({r.line + lines_before, *why, r.text.substr(0, 200)});
  }
  std::sort(all.rows.begin(), all.rows.end());
  if (where.kind == feed_kind::stores) // to name a store again says nothing
    all.rows.erase(std::unique(all.rows.begin(), all.rows.end()), all.rows.end());
  return all;
}

} // namespace naive

/// Takes batches apart into rows.
struct batch_collector {
  std::vector<naive::row> rows;
  std::vector<size_t> batch_sizes;
  uint32_t partitions = 64;
  bool sound =
      true; ///< each batch's stores are of its partition, each is named once, and every index is good

  void operator()(uint32_t partition, const storemon::observation_rows& batch) {
    if (!batch.seen.empty()) {
      take(partition, batch, batch.seen);
      return;
    }
    sound = sound && !batch.stores.empty();
    for (size_t i = 0; i < batch.stores.size(); ++i) {
      sound = sound && belongs(partition, batch.stores[i]);
      rows.push_back(naive::row_of(batch.stores[i]));
    }
  }

  void operator()(uint32_t partition, const storemon::closure_change& closure) {
    sound = sound && belongs(partition, closure.store) && !closure.withdrawn;
    rows.push_back(naive::row_of(closure.store, closure.span));
  }

  void operator()(uint32_t partition, const storemon::hours_rows& batch) {
    take(partition, batch, batch.rows);
  }

  void operator()(uint32_t partition, const storemon::zone_rows& batch) {
    sound = sound && batch.stores.size() == batch.zones.size() && !batch.stores.empty();
    batch_sizes.push_back(batch.stores.size());
    for (size_t i = 0; i < batch.stores.size(); ++i) {
      sound = sound && belongs(partition, batch.stores[i]);
      rows.push_back(naive::row_of(batch.stores[i], batch.zones[i]));
    }
  }

private:
  bool belongs(uint32_t partition, std::string_view id) const {
    return storemon::partition_of(storemon::hash_of(id), partitions) == partition;
  }

  template <class Batch, class Rows>
  void take(uint32_t partition, const Batch& batch, const Rows& all) {
    std::vector<std::string_view> names;
    for (size_t i = 0; i < batch.stores.size(); ++i) {
      sound = sound && belongs(partition, batch.stores[i]);
      names.push_back(batch.stores[i]);
    }
    std::sort(names.begin(), names.end());
    sound = sound && std::adjacent_find(names.begin(), names.end()) == names.end() && !all.empty() &&
            all.size() == batch.store.size();
    batch_sizes.push_back(all.size());
    for (size_t i = 0; i < all.size(); ++i) {
      sound = sound && batch.store[i] < batch.stores.size();
      rows.push_back(naive::row_of(batch.stores[batch.store[i]], all[i]));
    }
  }
};

/// A feed read chunk after chunk, as an import reads it.
class feed_reading {
public:
  feed_reading(const storemon::ingest::layout& where, uint64_t lines_before,
               const storemon::ingest::router_options& options = {})
      : kind_(where.kind), lines_(lines_before), lines_before_(lines_before),
        parser_(where, options, emit{this}) {
    batches.partitions = options.partitions;
  }

  feed_reading(const feed_reading&) = delete;

  void take(std::string_view chunk) {
    const auto summary = parser_.parse(chunk);
    rows_ += summary.rows;
    rejected.append(summary.rejected, lines_);
    lines_ += summary.lines;
  }

  naive::outcome finish() {
    parser_.flush();
    naive::outcome all;
    all.rows = batches.rows;
    std::sort(all.rows.begin(), all.rows.end());
    all.counts.assign(rejected.count.begin(), rejected.count.end());
    all.lines = lines_ - lines_before_;
    for (const auto& sample : rejected.samples)
      all.rejects.push_back({sample.line, sample.reason, sample.text});
    const bool names = kind_ == storemon::feed_kind::stores; // once in a batch, however often in a file
    batches.sound = batches.sound && (names ? rows_ >= all.rows.size() : rows_ == all.rows.size());
    return all;
  }

  batch_collector batches;
  storemon::ingest::rejects rejected;

private:
  struct emit {
    feed_reading* to;

    template <class Batch>
    void operator()(uint32_t partition, Batch&& batch) const {
      to->batches(partition, batch);
    }
  };

  storemon::feed_kind kind_;
  uint64_t lines_;
  uint64_t lines_before_;
  uint64_t rows_ = 0;
  storemon::ingest::feed_parser<emit> parser_;
};

/// Headers of the feeds as the data set has them.
inline const storemon::ingest::layout status_layout =
    storemon::ingest::read_header(storemon::feed_kind::status, "store_id,status,timestamp_utc").value();
inline const storemon::ingest::layout hours_layout =
    storemon::ingest::read_header(storemon::feed_kind::hours,
                                  "store_id,dayOfWeek,start_time_local,end_time_local")
        .value();
inline const storemon::ingest::layout zones_layout =
    storemon::ingest::read_header(storemon::feed_kind::timezones, "store_id,timezone_str").value();
inline const storemon::ingest::layout closures_layout =
    storemon::ingest::read_header(storemon::feed_kind::closures, "store_id,from_utc,to_utc").value();
inline const storemon::ingest::layout corrections_layout =
    storemon::ingest::read_header(storemon::feed_kind::corrections, "store_id,status,timestamp_utc").value();
inline const storemon::ingest::layout stores_layout =
    storemon::ingest::read_header(storemon::feed_kind::stores, "store_id").value();
