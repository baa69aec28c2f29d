#include "storemon/backtest/load.hpp"

#include "storemon/estimate/class_likelihoods.hpp"
#include "storemon/ingest/chunk_reader.hpp"
#include "storemon/ingest/feed_files.hpp"
#include "storemon/ingest/feed_parser.hpp"
#include "storemon/partition/opening.hpp"
#include "storemon/partition/partition_data.hpp"

#include <algorithm>

namespace storemon::backtest {

namespace {

using partition::partition_data;

/// Polls are applied so many at a time: enough that a store's come several at once.
constexpr size_t batch_rows = size_t{1} << 18;

/// @returns how many lines were rejected.
result<uint64_t> read_feed(feed_kind kind, const std::string& file, partition_data& into) {
  auto reader = ingest::chunk_reader::open(file);
  if (!reader)
    return reader.error();
  const auto where = ingest::read_header(kind, reader->header());
  if (!where)
    return error{where.error().code, file + ": " + where.error().detail};
  ingest::router_options options;
  options.partitions = 1;
  options.rows_max = batch_rows;
  ingest::feed_parser parser(*where, options, [&](uint32_t, update change) { into.apply(change); });
  uint64_t rejected = 0;
  for (ingest::chunk piece;;) {
    if (const auto read = reader->next(piece); !read)
      return read.error();
    if (piece.text().empty())
      break;
    rejected += parser.parse(piece.text()).rejected.total();
  }
  parser.flush();
  return rejected;
}

subject subject_of(const partition::store& s, instant as_of) {
  using std::chrono::days;
  const horizon seen{as_of - days(28), as_of};
  const auto first = std::partition_point(s.observations.begin(), s.observations.end(),
                                          [&](observation o) { return o.at() < seen.from; });
  subject made;
  made.polls.assign(first, s.observations.end());
  const auto first_seen = made.polls.empty() ? as_of : made.polls.front().at();
  const auto known_from = estimate::sessions_known_from(seen, first_seen);
  interval_set opening;
  partition::opening_intervals(s.hours, s.zone_in_force(), {known_from - duration(1), as_of + duration(1)},
                               opening);
  subtract(opening, s.closures, made.opening); // a planned closure ends a session as closing does
  return made;
}

} // namespace

result<loaded_fleet> load_fleet(const std::string& directory) {
  const auto files = ingest::find_feed_files(directory);
  if (!files)
    return files.error();
  partition_data data;
  loaded_fleet loaded;
  for (const auto& [kind, file] : *files) {
    const auto rejected = read_feed(kind, file, data);
    if (!rejected)
      return rejected.error();
    loaded.rejected += *rejected;
  }
  const auto census = data.census();
  if (!census.newest)
    return error{errc::no_data, directory + " holds no poll"};
  loaded.polls = static_cast<uint64_t>(census.observations);
  loaded.stores.as_of = *census.newest;
  loaded.stores.stores.reserve(static_cast<size_t>(census.stores));
  data.for_each_store([&](const partition::store& s) {
    loaded.stores.ids.add(s.id);
    loaded.stores.stores.push_back(subject_of(s, *census.newest));
  });
  return loaded;
}

result<loaded_truth> load_truth(const std::string& file, const fleet& of) {
  constexpr std::string_view header = "store_id,from_utc,to_utc";
  constexpr size_t columns = 3;
  auto reader = ingest::chunk_reader::open(file);
  if (!reader)
    return reader.error();
  if (reader->header() != header)
    return error{errc::bad_feed, file + ": the header " + std::string(header) + " is expected"};
  loaded_truth loaded;
  loaded.course.active.resize(of.ids.size());
  loaded.course.from = instant::max();
  auto lines_before = reader->header_lines();
  for (ingest::chunk piece;;) {
    if (const auto read = reader->next(piece); !read)
      return read.error();
    if (piece.text().empty())
      break;
    ingest::record_reader records(piece.text(), columns);
    while (records.next()) {
      const auto fields = records.fields();
      const bool complete = !records.broken() && fields.size() == columns;
      const auto from = complete ? parse_instant(fields[1]) : std::nullopt;
      const auto to = complete ? parse_instant(fields[2]) : std::nullopt;
      if (!from || !to)
        return error{errc::bad_feed, file + ": line " + std::to_string(lines_before + records.line()) +
                                         " is not a store and two instants"};
      loaded.course.from = std::min(loaded.course.from, *from);
      if (const auto place = of.find(fields[0]))
        loaded.course.active[*place].push_back({*from, *to});
      else
        ++loaded.strangers;
    }
    lines_before += records.lines();
  }
  if (loaded.course.from == instant::max())
    return error{errc::bad_feed, file + " holds no row"};
  for (auto& set : loaded.course.active)
    normalise(set);
  return loaded;
}

} // namespace storemon::backtest
