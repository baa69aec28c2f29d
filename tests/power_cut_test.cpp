/// Power cuts under a journal in SQLite: whatever a disk does with what was not synced, all that was
/// acknowledged is there afterwards, and sound. STOREMON_FAULT_RUNS sets the number of cuts.
#include "support/backend_sites.hpp"
#include "support/crash_vfs.hpp"
#include "support/ledger.hpp"

#include <catch2/catch.hpp>

#include <filesystem>

namespace {

using namespace storemon;
using namespace storemon::journal;
using namespace storemon::test;

/// So few that the log is moved often.
constexpr int log_pages_max = 40;

constexpr int cuts_per_disk = 10;

struct tally {
  uint64_t cuts = 0;
  uint64_t acked = 0;
  uint64_t lost = 0; ///< runs in which something was
  uint64_t heals = 0;
  std::string first; ///< what was lost first

  void add(const std::vector<std::string>& missing) {
    if (!missing.empty() && lost++ == 0)
      first = missing.front();
  }
};

void print(const char* name, const tally& f) {
  std::printf("%s: %llu cuts, %llu commits acknowledged, %llu heals, %llu runs lost something%s%s\n", name,
              static_cast<unsigned long long>(f.cuts), static_cast<unsigned long long>(f.acked),
              static_cast<unsigned long long>(f.heals), static_cast<unsigned long long>(f.lost),
              f.first.empty() ? "" : ", first: ", f.first.c_str());
}

/// A disk whose power is cut again and again, and the directory with the files that are not SQLite's.
class cut_site {
public:
  explicit cut_site(uint64_t seed) : random_(seed, 4), disk_(seed), book_(seed) {}

  /// Opens, commits until the power is cut, cuts it, and looks what is left.
  void round(uint64_t sync_faults, tally& sum) {
    disk_.cut_after(random_.between(1, 2000), [this] { marked_ = std::filesystem::exists(marker()); });
    disk_.set_faults({sync_faults, 0, 0});
    live(sum);
    disk_.set_faults({});
    // Nobody writes a marker without power.
    if (disk_.is_cut() && !marked_)
      std::filesystem::remove(marker());
    disk_.power_cycle();
    ++sum.cuts;
    auto opened = open_sqlite({directory(), disk_.name(), log_pages_max});
    sum.add(opened ? book_.missing(**opened) : std::vector<std::string>{opened.error().detail});
  }

  uint64_t acked() const { return book_.acked(); }

private:
  void live(tally& sum) {
    for (int failed_starts = 0; !disk_.is_cut();) {
      auto b = open_sqlite({directory(), disk_.name(), log_pages_max});
      if (disk_.is_cut())
        return;
      if (!b || !book_.begin(**b)) {
        if (++failed_starts < 100)
          continue;
        sum.add({b ? "no commit succeeds" : b.error().detail});
        return;
      }
      failed_starts = 0;
      while (!disk_.is_cut()) {
        const auto outcome = book_.step(**b);
        if (outcome == errc::ok)
          continue;
        if (outcome != errc::storage_failing) {
          sum.add({"a commit failed with " + std::string(to_string(outcome))});
          return;
        }
        if (random_.chance(300))
          break; // the process ends, and another begins
        bool healed = false;
        for (int attempt = 0; attempt < 5 && !healed && !disk_.is_cut(); ++attempt)
          healed = (*b)->heal().has_value();
        if (!healed || disk_.is_cut())
          break;
        ++sum.heals;
        book_.reload(**b);
      }
    }
  }

  std::string directory() const { return (scratch_.path() / "data").string(); }

  std::filesystem::path marker() const { return scratch_.path() / "data" / "io_failed"; }

  random_source random_;
  scratch_directory scratch_;
  crash_disk disk_;
  ledger book_;
  bool marked_ = false;
};

tally run(uint64_t cuts, uint64_t sync_faults) {
  tally sum;
  for (uint64_t seed = 1; sum.cuts < cuts && sum.lost < 20; ++seed) {
    cut_site site(seed);
    const auto lost = sum.lost;
    for (int i = 0; i < cuts_per_disk && sum.cuts < cuts && sum.lost == lost; ++i)
      site.round(sync_faults, sum);
    sum.acked += site.acked();
  }
  return sum;
}

} // namespace

TEST_CASE("no power cut loses what was acknowledged") {
  const auto cuts = fault_runs(150);
  const auto sum = run(cuts, 0);
  print("power cuts", sum);
  CHECK(sum.lost == 0);
  CHECK(sum.cuts >= cuts);
  CHECK(sum.acked > 5 * cuts); // else nothing was under way
}

TEST_CASE("no power cut loses what was acknowledged, though syncs fail and drop what they were to write") {
  const auto cuts = fault_runs(150);
  const auto sum = run(cuts, 30);
  print("power cuts with failing syncs", sum);
  CHECK(sum.lost == 0);
  CHECK(sum.cuts >= cuts);
  CHECK(sum.acked > 3 * cuts);
  CHECK(sum.heals > cuts / 10);
}
