#pragma once

#include "storemon/journal/backend.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace storemon::test {

/// All that a backend would be asked for at a start, as text: equal where nobody could tell two apart. What a
/// replay does not need is left out. The first failure ends it, and is its last line.
inline std::vector<std::string> state_of(journal::backend& b, uint32_t partitions,
                                         const std::vector<std::string>& value_names) {
  std::vector<std::string> lines;
  const auto add = [&](const auto&... fields) {
    std::string line;
    const auto put = [&line](const auto& field) {
      if constexpr (std::is_integral_v<std::decay_t<decltype(field)>>)
        line += std::to_string(field) + " ";
      else
        line += std::string(field) + " ";
    };
    (put(fields), ...);
    lines.push_back(std::move(line));
  };
  const auto failed = [&](const error& e) {
    add("failed", e.detail);
    return lines;
  };
  for (uint32_t p = 0; p < partitions; ++p) {
    const auto owner = b.owner(p);
    if (!owner)
      return failed(owner.error());
    add("partition", p, owner->epoch, owner->next_seq, owner->last_crc);
    const auto names = b.store_names(p);
    if (!names)
      return failed(names.error());
    for (const auto& name : *names)
      add("name", name);
    const auto manifests = b.manifests(p);
    if (!manifests)
      return failed(manifests.error());
    for (const auto& m : *manifests) {
      add("snapshot", m.generation, m.epoch, m.through_seq, m.through_crc, m.observations, m.state_hash,
          m.chunks);
      const auto chunks = b.read_chunks(p, m.generation, INT64_MIN, SIZE_MAX);
      if (!chunks)
        return failed(chunks.error());
      for (const auto& c : *chunks)
        add("chunk", c.number, c.generation, c.kind, c.codec, c.count, c.payload);
    }
    const auto records =
        b.read_records(p, manifests->empty() ? 1 : manifests->back().through_seq + 1, SIZE_MAX);
    if (!records)
      return failed(records.error());
    for (const auto& r : *records)
      add("record", r.seq, r.epoch, r.kind, r.codec, r.count, r.oldest, r.newest,
          r.written.time_since_epoch().count(), r.payload);
  }
  const auto reports = b.reports();
  if (!reports)
    return failed(reports.error());
  for (const auto& [s, none] : *reports) {
    const auto bytes = b.report_bytes(s.id);
    add("report", s.id, static_cast<int>(s.state), s.created.time_since_epoch().count(), s.request.estimator,
        s.file_name, s.file_bytes, s.failure.detail, bytes ? *bytes : bytes.error().detail);
  }
  for (const auto& name : value_names) {
    const auto value = b.value(name);
    if (!value)
      return failed(value.error());
    add("value", name, *value);
  }
  return lines;
}

} // namespace storemon::test
