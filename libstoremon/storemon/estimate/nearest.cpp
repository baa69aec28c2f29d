#include "storemon/estimate/estimators.hpp"
#include "storemon/estimate/gap_walk.hpp"

namespace storemon::estimate {

namespace {

struct nearest_rule {
  duration active{};

  void beside(bool state, duration near, duration far) { active += (far - near) * state; }

  void whole(bool left, bool right, duration gap) {
    const auto half = gap / 2;
    active += half * left + (gap - half) * right;
  }

  void part(bool left, bool right, duration gap, duration begin, duration end) {
    const auto half = gap / 2;
    active += (std::min(end, half) - std::min(begin, half)) * left;
    active += (std::max(end, half) - std::max(begin, half)) * right;
  }
};

class nearest_estimator final : public estimator {
public:
  std::string_view name() const noexcept override { return "nearest"; }

  bool supports(observation_scope) const noexcept override { return true; }

  known judge(const store_view& view, observation_scope scope) const override {
    nearest_rule rule;
    const auto judged = walk_window(view, scope, rule);
    return {rule.active.count(), (judged - rule.active).count(), 0};
  }
};

} // namespace

const estimator& nearest() noexcept {
  static const nearest_estimator only;
  return only;
}

} // namespace storemon::estimate
