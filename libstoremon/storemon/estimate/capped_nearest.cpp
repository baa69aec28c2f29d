#include "storemon/estimate/estimators.hpp"
#include "storemon/estimate/exact.hpp"
#include "storemon/estimate/gap_walk.hpp"

namespace storemon::estimate {

namespace {

/// The weight of the fleet's ratio against the store's own, in observations.
constexpr int64_t fleet_weight = 4;

struct capped_nearest_rule {
  duration known{};
  duration active{};

  void beside(bool state, duration near, duration far) {
    const auto reached = std::min(far, observation_reach) - std::min(near, observation_reach);
    known += reached;
    active += reached * state;
  }

  void whole(bool left, bool right, duration gap) {
    const auto both = std::min(gap, 2 * observation_reach);
    const auto first = std::min(gap / 2, observation_reach);
    known += both;
    active += first * left + (both - first) * right;
  }

  void part(bool left, bool right, duration gap, duration begin, duration end) {
    const auto half = gap / 2;
    beside(left, std::min(begin, half), std::min(end, half));
    beside(right, gap - std::max(end, half), gap - std::max(begin, half));
  }
};

class capped_nearest_estimator final : public estimator {
public:
  std::string_view name() const noexcept override { return "capped_nearest"; }

  bool supports(observation_scope scope) const noexcept override {
    return scope == observation_scope::session;
  }

  known judge(const store_view& view, observation_scope scope) const override {
    if (view.observed_in_horizon == 0)
      return {};
    capped_nearest_rule rule;
    walk_window(view, scope, rule);
    return {rule.active.count(), (rule.known - rule.active).count(), view.open - rule.known.count()};
  }

  /// U = U_K + (B - K) (n1 + 4 R) / (n + 4) with R = N1 / N (ESTIMATORS section 3), over the one denominator
  /// (n + 4) N. Exact in 128 bits while (B - K) n N stays below 2^126: a century, 2^28 polls of a store and
  /// 2^46 of the fleet.
  figures settle(const measure& m, const fleet_counts& fleet) const override {
    auto f = estimator::settle(m, fleet);
    if (m.imputed == 0)
      return f;
    const auto n = static_cast<uint128>(m.horizon_observed);
    const auto n1 = static_cast<uint128>(m.horizon_active);
    const auto fleet_n = static_cast<uint128>(fleet.observed);
    const auto fleet_n1 = static_cast<uint128>(fleet.active);
    const auto uptime =
        divide_half_even(static_cast<uint128>(m.imputed) * (n1 * fleet_n + fleet_weight * fleet_n1),
                         (n + fleet_weight) * fleet_n);
    f.uptime += uptime;
    f.downtime += m.imputed - uptime;
    f.unknown -= m.imputed;
    f.imputed = m.imputed;
    return f;
  }
};

} // namespace

const estimator& capped_nearest() noexcept {
  static const capped_nearest_estimator only;
  return only;
}

} // namespace storemon::estimate
