#pragma once

#include "storemon/backtest/sight.hpp"
#include "storemon/estimate/telegraph.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace storemon::backtest {

/// An estimator put to the test, in scope `session`.
class contender {
public:
  /// The names of all, the reports' default first, telegraph last.
  static std::span<const std::string_view> names() noexcept;

  /// The estimator of that name; nothing where there is none.
  static std::optional<contender> find(std::string_view name) noexcept;

  std::string_view name() const noexcept { return name_; }

  /// The plain rule it is; nullptr for telegraph.
  const estimate::estimator* rule() const noexcept { return rule_; }

private:
  contender(std::string_view name, const estimate::estimator* rule) noexcept : name_(name), rule_(rule) {}

  std::string_view name_;
  const estimate::estimator* rule_;
};

/// What a fleet as a whole tells its estimators.
class lesson {
public:
  /// @param with_telegraph  whether telegraph is to be asked
  lesson(std::span<const sight> stores, bool with_telegraph);

  /// In-session polls of all stores.
  const fleet_counts& counts() const noexcept { return counts_; }

  /// The telegraph of a store; nothing where it has no in-session poll, or telegraph is not to be asked.
  std::optional<estimate::telegraph> telegraph_of(size_t store) const noexcept;

private:
  fleet_counts counts_;
  std::vector<std::optional<size_t>> row_of_; ///< by store; empty where telegraph is not asked
  std::vector<estimate::class_likelihoods> rows_;
  estimate::class_weights weights_{};
};

/// Uptime within the opening time of a window, in microseconds.
struct claim {
  struct bounds {
    double low = 0;
    double high = 0;
  };

  double uptime = 0;
  std::optional<bounds> interval; ///< where the estimator says within what it should be nine times in ten
};

/// The answers of all contenders about one store.
class answers {
public:
  /// @param place  of the store among those the lesson was learnt from
  answers(const sight& store, const lesson& fleet, size_t place) noexcept
      : store_(store), fleet_(fleet), telegraph_(fleet.telegraph_of(place)) {}

  /// The uptime of a window with opening time. A plain rule's unknown time is prorated: its uptime is scaled
  /// to the whole opening time (ESTIMATORS section 5). Not that of poll_count, whose claim is that a poll
  /// stands for an hour.
  /// @returns nothing where the estimator knows nothing of the window.
  std::optional<claim> uptime(const contender& of, const estimate::store_view& view) const;

  /// The probability that a poll at an instant in a session is active. telegraph has one. A plain rule's is
  /// its uptime's share of the opening time of a window round the instant: of the second before it and the
  /// second after it, which is what the rule believes at the instant itself; of rules that count polls, and
  /// know nothing of an instant, of the twelve hours before it and the twelve after it.
  /// @returns nothing where the estimator knows nothing of it.
  std::optional<double> chance_active(const contender& of, instant at) const;

private:
  const sight& store_;
  const lesson& fleet_;
  std::optional<estimate::telegraph> telegraph_;
};

} // namespace storemon::backtest
