#include "storemon/journal/update_bytes.hpp"

#include <algorithm>
#include <numeric>

/// Observations: the rule; the number of stores; of each in ascending order of index the distance of its
/// index from the one before, the number of its rows, the first of them as the distance from the first row of
/// the store before, and the others, ascending, as the distance from the row before. A row is its
/// observation's bits. Hours: the date; stores and numbers of rows likewise, each row as day, start and end.
/// All else is in the order given.
namespace storemon::journal {

namespace {

/// Rows by store: stores in ascending order of index, and the numbers of the rows of each.
struct grouping {
  std::vector<uint32_t> indexes; ///< ascending, distinct
  std::vector<uint32_t> ends;    ///< of the rows of each
  std::vector<uint32_t> rows;    ///< by store; of one store in the order given
};

/// Groups rows by store; where a store is named twice, its rows are joined.
grouping group(const text_list& stores, const std::vector<uint32_t>& store, store_names& names) {
  grouping g;
  const size_t named = stores.size();
  std::vector<uint64_t> order(named); // index of the name, then number in `stores`
  for (size_t i = 0; i < named; ++i)
    order[i] = uint64_t{names.index_of(stores[i])} << 32 | i;
  if (!std::is_sorted(order.begin(), order.end()))
    std::sort(order.begin(), order.end());
  std::vector<uint32_t> place(named);
  g.indexes.reserve(named);
  for (const auto key : order) {
    const auto index = static_cast<uint32_t>(key >> 32);
    if (g.indexes.empty() || g.indexes.back() != index)
      g.indexes.push_back(index);
    place[static_cast<uint32_t>(key)] = static_cast<uint32_t>(g.indexes.size() - 1);
  }
  std::vector<uint32_t> next(g.indexes.size() + 1);
  for (const auto s : store)
    ++next[place[s] + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  g.rows.resize(store.size());
  for (size_t i = 0; i < store.size(); ++i)
    g.rows[next[place[store[i]]]++] = static_cast<uint32_t>(i);
  next.pop_back();
  g.ends = std::move(next);
  return g;
}

/// Reads the index of a store that follows another one.
std::optional<std::string_view> read_store(byte_reader& in, uint64_t& index, const store_names& names) {
  const auto distance = in.varint();
  if (distance > UINT32_MAX || index + distance > UINT32_MAX)
    return std::nullopt;
  index += distance;
  return names.name_of(static_cast<uint32_t>(index));
}

struct writer {
  std::string& bytes;
  store_names& names;
  byte_writer out{bytes};

  update_summary operator()(const observation_rows& rows) {
    const auto g = group(rows.stores, rows.store, names);
    update_summary sum{rows.seen.size(), 0, 0};
    int64_t oldest = INT64_MAX;
    int64_t newest = INT64_MIN;
    out.byte(static_cast<uint8_t>(rows.rule));
    out.varint(g.indexes.size());
    // All varints of a store are written at once, where there is room for the longest they can be.
    size_t length = bytes.size();
    bytes.resize(length + (2 * g.indexes.size() + rows.seen.size()) * varint_bytes_max);
    char* to = bytes.data() + length;
    const auto put = [&to](uint64_t n) { to += byte_writer::put_varint(to, n); };
    std::vector<int64_t> seen;
    uint32_t index_before = 0;
    uint64_t first_before = 0;
    uint32_t begin = 0;
    for (size_t s = 0; s < g.indexes.size(); ++s) {
      seen.clear();
      for (; begin < g.ends[s]; ++begin)
        seen.push_back(rows.seen[g.rows[begin]].bits());
      if (!std::is_sorted(seen.begin(), seen.end()))
        std::sort(seen.begin(), seen.end());
      put(g.indexes[s] - index_before);
      put(seen.size());
      index_before = g.indexes[s];
      if (seen.empty())
        continue;
      oldest = std::min(oldest, seen.front());
      newest = std::max(newest, seen.back());
      put(zigzag(static_cast<int64_t>(static_cast<uint64_t>(seen.front()) - first_before)));
      first_before = static_cast<uint64_t>(seen.front());
      for (size_t i = 1; i < seen.size(); ++i)
        put(static_cast<uint64_t>(seen[i]) - static_cast<uint64_t>(seen[i - 1]));
    }
    bytes.resize(static_cast<size_t>(to - bytes.data()));
    if (!rows.seen.empty()) {
      sum.oldest = observation::from_bits(oldest).at().time_since_epoch().count();
      sum.newest = observation::from_bits(newest).at().time_since_epoch().count();
    }
    return sum;
  }

  update_summary operator()(const hours_rows& rows) {
    const auto g = group(rows.stores, rows.store, names);
    out.number(rows.valid_from.time_since_epoch().count());
    out.varint(g.indexes.size());
    uint32_t index_before = 0;
    uint32_t begin = 0;
    for (size_t s = 0; s < g.indexes.size(); ++s) {
      out.varint(g.indexes[s] - index_before);
      out.varint(g.ends[s] - begin);
      index_before = g.indexes[s];
      for (; begin < g.ends[s]; ++begin) {
        const auto& row = rows.rows[g.rows[begin]];
        out.byte(row.day);
        out.number(row.start.count());
        out.number(row.end.count());
      }
    }
    return {rows.rows.size(), 0, 0};
  }

  update_summary operator()(const zone_rows& rows) {
    out.varint(rows.stores.size());
    for (size_t i = 0; i < rows.stores.size(); ++i) {
      out.varint(names.index_of(rows.stores[i]));
      out.text(rows.zones[i]);
    }
    return {rows.stores.size(), 0, 0};
  }

  update_summary operator()(const closure_change& c) {
    out.varint(names.index_of(c.store));
    out.number(c.span.from.time_since_epoch().count());
    out.number(c.span.to.time_since_epoch().count());
    out.byte(c.withdrawn ? 1 : 0);
    return {1, 0, 0};
  }

  update_summary operator()(const store_deletion& d) {
    out.varint(names.index_of(d.store));
    return {1, 0, 0};
  }

  update_summary operator()(const batch_memory& memory) {
    out.varint(memory.batches.size());
    for (const auto& b : memory.batches) {
      write(out, b.mark);
      out.number(b.written.time_since_epoch().count());
      out.number(b.done.accepted);
      out.number(b.done.duplicates);
      out.number(b.done.conflicts);
    }
    return {memory.batches.size(), 0, 0};
  }
};

struct reader {
  byte_reader& in;
  const store_names& names;
  size_t& count;

  instant read_instant() { return instant(duration(in.number())); }

  std::optional<std::string_view> read_name() {
    uint64_t index = 0;
    return read_store(in, index, names);
  }

  /// Reads the stores of grouped rows: `rows_of` reads the rows of one, given its number and how many.
  template <class Rows>
  bool read_groups(text_list& stores, size_t row_bytes_min, Rows rows_of) {
    const auto n = in.count(2);
    stores.reserve(n, 0);
    uint64_t index = 0;
    for (size_t s = 0; s < n; ++s) {
      const auto before = index;
      const auto name = read_store(in, index, names);
      if (!name || (s > 0 && index == before))
        return false;
      const auto rows = in.count(row_bytes_min);
      count += rows;
      rows_of(stores.add(*name), rows);
    }
    return in.ok();
  }

  std::optional<update> observations() {
    observation_rows rows;
    const auto rule = in.byte();
    if (rule > static_cast<uint8_t>(conflict_rule::keep))
      return std::nullopt;
    rows.rule = static_cast<conflict_rule>(rule);
    uint64_t first_before = 0;
    const bool read = read_groups(rows.stores, 1, [&](uint32_t store, size_t n) {
      if (n == 0)
        return;
      rows.store.insert(rows.store.end(), n, store);
      const auto begin = rows.seen.size();
      rows.seen.resize(begin + n);
      auto bits = first_before += static_cast<uint64_t>(in.number());
      rows.seen[begin] = observation::from_bits(static_cast<int64_t>(bits));
      for (size_t i = 1; i < n; ++i) {
        bits += in.varint();
        rows.seen[begin + i] = observation::from_bits(static_cast<int64_t>(bits));
      }
    });
    if (!read)
      return std::nullopt;
    return rows;
  }

  std::optional<update> hours() {
    hours_rows rows;
    rows.valid_from = std::chrono::local_days(std::chrono::days(in.number()));
    const bool read = read_groups(rows.stores, 3, [&](uint32_t store, size_t n) {
      for (size_t i = 0; i < n; ++i) {
        hours_row row;
        row.day = in.byte();
        row.start = duration(in.number());
        row.end = duration(in.number());
        rows.store.push_back(store);
        rows.rows.push_back(row);
      }
    });
    if (!read)
      return std::nullopt;
    return rows;
  }

  std::optional<update> zones() {
    zone_rows rows;
    count = in.count(2);
    for (size_t i = 0; i < count; ++i) {
      const auto name = read_name();
      if (!name)
        return std::nullopt;
      rows.stores.add(*name);
      rows.zones.add(in.text());
    }
    return rows;
  }

  std::optional<update> closure() {
    const auto name = read_name();
    if (!name)
      return std::nullopt;
    closure_change c{std::string(*name), {}, false};
    c.span.from = read_instant();
    c.span.to = read_instant();
    const auto withdrawn = in.byte();
    if (withdrawn > 1)
      return std::nullopt;
    c.withdrawn = withdrawn == 1;
    count = 1;
    return c;
  }

  std::optional<update> deletion() {
    const auto name = read_name();
    if (!name)
      return std::nullopt;
    count = 1;
    return store_deletion{std::string(*name)};
  }

  std::optional<update> batches() {
    batch_memory memory;
    count = in.count(5);
    memory.batches.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      remembered_batch b;
      b.mark = read_mark(in);
      b.written = read_instant();
      b.done.accepted = in.number();
      b.done.duplicates = in.number();
      b.done.conflicts = in.number();
      memory.batches.push_back(b);
    }
    return memory;
  }
};

} // namespace

void write(byte_writer& out, const batch_mark& mark) {
  out.byte(mark == batch_mark{} ? 0 : 1);
  if (mark == batch_mark{})
    return;
  for (const auto word : {mark.key[0], mark.key[1], mark.body[0], mark.body[1]})
    out.word(word);
}

batch_mark read_mark(byte_reader& in) {
  batch_mark mark;
  const auto there = in.byte();
  if (there > 1)
    in.fail();
  if (there == 1)
    for (auto* word : {&mark.key[0], &mark.key[1], &mark.body[0], &mark.body[1]})
      *word = in.word();
  return mark;
}

update_summary write(std::string& out, const update& change, store_names& names) {
  return std::visit(writer{out, names}, change);
}

std::optional<update> read_update(byte_reader& in, uint8_t kind, const store_names& names, size_t& count) {
  count = 0;
  reader r{in, names, count};
  std::optional<update> change;
  switch (kind) {
  case 0:
    change = r.observations();
    break;
  case 1:
    change = r.hours();
    break;
  case 2:
    change = r.zones();
    break;
  case 3:
    change = r.closure();
    break;
  case 4:
    change = r.deletion();
    break;
  case 5:
    change = r.batches();
    break;
  default:
    break;
  }
  if (!in.done())
    return std::nullopt;
  return change;
}

} // namespace storemon::journal
