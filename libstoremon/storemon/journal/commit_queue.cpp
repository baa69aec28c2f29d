#include "storemon/journal/commit_queue.hpp"

#include <utility>
#include <vector>

namespace storemon::journal {

namespace {

/// What a change weighs in a commit.
size_t bytes_of(const operation& what) {
  size_t bytes = 0;
  if (const auto* a = std::get_if<append>(&what))
    for (const auto& r : a->records)
      bytes += r.payload.size();
  else if (const auto* s = std::get_if<put_snapshot>(&what))
    for (const auto& c : s->chunks)
      bytes += c.payload.size();
  else if (const auto* p = std::get_if<put_report>(&what); p && p->report->bytes)
    bytes = p->report->bytes->size();
  return bytes;
}

} // namespace

result<size_t> commit_queue::commit(backend& to, std::span<ledger> ledgers, size_t bytes_max,
                                    const std::optional<error>& no_room) {
  std::vector<change> group;
  std::vector<operation> operations; // of the group
  std::vector<std::pair<change, error>> refused;
  size_t bytes = 0;
  while (!waiting_.empty() && bytes <= bytes_max) {
    auto& next = waiting_.front();
    if (next.alone && ledgers[*next.alone].staged())
      break;
    auto made = next.adds && no_room ? result<operation>(*no_room) : next.make();
    if (made) {
      bytes += bytes_of(*made);
      operations.push_back(std::move(*made));
      group.push_back(std::move(next));
    } else {
      refused.emplace_back(std::move(next), made.error());
    }
    waiting_.pop_front();
  }
#if STOREMON_PLANT_BUG == 2
  for (size_t i = 0; i < group.size(); ++i)
    group[i].settle(operations[i], errc::ok);
#endif
  const auto done =
      operations.empty() ? result<std::vector<errc>>(std::vector<errc>()) : to.commit(operations);
  if (!done) {
    for (auto& l : ledgers)
      l.undo();
    for (auto& c : group)
      c.fail(done.error());
    // What was refused because of a change before it must not hear so: that change never was.
    for (auto& [c, why] : refused)
      c.fail(done.error());
    return done.error();
  }
  for (auto& l : ledgers)
    l.keep();
  for (size_t i = 0; i < group.size(); ++i)
    group[i].settle(operations[i], (*done)[i]);
  for (auto& [c, why] : refused)
    c.fail(why);
  return group.size();
}

} // namespace storemon::journal
