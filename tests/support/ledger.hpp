#pragma once

#include "storemon/journal/verify.hpp"
#include "support/journal_entries.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>

namespace storemon::test {

/// How often a fault program tries: STOREMON_FAULT_RUNS where it is set.
inline uint64_t fault_runs(uint64_t normally) {
  const auto* wanted = std::getenv("STOREMON_FAULT_RUNS");
  return wanted ? std::strtoull(wanted, nullptr, 10) : normally;
}

/// Commits a mix of all operations to a backend that fails, and keeps a ledger of what was acknowledged: that
/// must be there ever after, whatever happens.
class ledger {
public:
  static constexpr uint32_t partitions = 3;

  explicit ledger(uint64_t seed) : random_(seed, 5), owner_(seed) {}

  /// To be called with each backend that is opened: takes all partitions over. Whether that was made durable.
  bool begin(journal::backend& b) {
    settle(b);
    std::vector<journal::operation> takes;
    for (uint32_t p = 0; p < partitions; ++p)
      takes.emplace_back(owner_.take(b, p));
    return done(b.commit(takes), {});
  }

  /// Goes on after a commit that failed.
  void reload(journal::backend& b) {
    for (uint32_t p = 0; p < partitions; ++p)
      owner_.load(b, p);
  }

  /// One commit of several operations; ok, or why it failed.
  errc step(journal::backend& b) {
    std::vector<journal::operation> what;
    entries next = acked_;
    for (auto n = random_.between(1, 4); n > 0; --n) {
      const auto p = static_cast<uint32_t>(random_.below(partitions));
      auto a = owner_.next_append(p, random_.between(1, 3), random_.chance(100) ? 3000 : 60);
      for (const auto& r : a.records)
        next.records[{p, r.seq}] = r.crc;
      what.emplace_back(std::move(a));
    }
    if (random_.chance(100)) {
      const auto p = static_cast<uint32_t>(random_.below(partitions));
      auto s = owner_.next_snapshot(p, {static_cast<int64_t>(random_.below(9)), 9});
      next.generations[p] = s.what.generation;
      what.emplace_back(std::move(s));
      what.emplace_back(journal::compact{p, owner_.end(p).epoch, UINT64_MAX, instant::max(), UINT64_MAX});
    }
    if (random_.chance(200)) {
      const auto text = std::to_string(random_.next());
      next.value = text;
      what.emplace_back(journal::put_value{"value", text});
      protocol::stored_report report;
      report.status.id = "report-" + std::to_string(random_.below(5));
      report.bytes = std::make_shared<const std::string>(text);
      next.reports[report.status.id] = text;
      what.emplace_back(
          journal::put_report{std::make_shared<const protocol::stored_report>(std::move(report))});
    }
    const auto committed = b.commit(what);
    if (!done(committed, std::move(next)))
      return committed ? errc::fenced : committed.error().code;
    const auto tidied = b.tidy();
    return tidied ? errc::ok : tidied.error().code;
  }

  /// What was acknowledged and is not there, and what verify() finds wrong.
  std::vector<std::string> missing(journal::backend& b) {
    std::vector<std::string> lost;
    const auto found = journal::verify(b, partitions);
    if (!found)
      return {found.error().detail};
    lost = found->all_damage();
    const auto expect = [&](bool there, const std::string& what) {
      if (!there)
        lost.push_back(what + " is lost");
    };
    for (uint32_t p = 0; p < partitions; ++p) {
      const auto manifests = b.manifests(p).value();
      const auto newest = manifests.empty() ? 0 : manifests.front().generation;
      expect(newest >= acked_.generations[p], "snapshot " + std::to_string(acked_.generations[p]));
      const auto needed = manifests.empty() ? 0 : manifests.back().through_seq;
      std::map<uint64_t, uint32_t> kept;
      for (const auto& r : b.read_records(p, 0, SIZE_MAX).value())
        kept[r.seq] = r.crc;
      for (const auto& [place, crc] : acked_.records)
        if (place.first == p && place.second > needed)
          expect(kept.contains(place.second) && kept[place.second] == crc,
                 "record " + std::to_string(place.second));
    }
    settle(b);
    lost.insert(lost.end(), unsettled_.begin(), unsettled_.end());
    unsettled_.clear();
    return lost;
  }

  uint64_t acked() const noexcept { return acks_; }

private:
  struct entries {
    std::map<std::pair<uint32_t, uint64_t>, uint32_t> records; ///< crc by partition and seq
    std::map<uint32_t, uint64_t> generations;
    std::map<std::string, std::string> reports;
    std::string value;
  };

  /// Of what is overwritten, either what was acknowledged last is there, or what a commit that failed was to
  /// put there; from now on it is what counts.
  void settle(journal::backend& b) {
    const auto value = b.value("value").value();
    if (value != acked_.value && value != undecided_.value)
      unsettled_.push_back("the value is lost");
    acked_.value = value;
    for (auto& [id, text] : acked_.reports)
      if (const auto bytes = b.report_bytes(id);
          !bytes || (*bytes != text && *bytes != undecided_.reports[id]))
        unsettled_.push_back(id + " is lost");
    for (const auto& r : b.reports().value())
      if (const auto bytes = b.report_bytes(r.status.id))
        acked_.reports[r.status.id] = *bytes;
    undecided_ = acked_;
  }

  bool done(const result<std::vector<errc>>& outcomes, entries next) {
    if (!outcomes) {
      undecided_ = std::move(next);
      return false;
    }
    for (const auto outcome : *outcomes)
      if (outcome != errc::ok)
        return false;
    if (!next.records.empty()) {
      ++acks_;
      acked_ = std::move(next);
    }
    return true;
  }

  random_source random_;
  owner_double owner_;
  entries acked_;
  entries undecided_;                  ///< what the last commit that failed was to make of it
  std::vector<std::string> unsettled_; ///< what settle() missed
  uint64_t acks_ = 0;
};

} // namespace storemon::test
