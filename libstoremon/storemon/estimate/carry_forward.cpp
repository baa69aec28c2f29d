#include "storemon/estimate/estimators.hpp"
#include "storemon/estimate/gap_walk.hpp"

namespace storemon::estimate {

namespace {

struct carry_forward_rule {
  duration active{};

  void beside(bool state, duration near, duration far) { active += (far - near) * state; }

  void whole(bool left, bool, duration gap) { active += gap * left; }

  void part(bool left, bool, duration, duration begin, duration end) { active += (end - begin) * left; }
};

class carry_forward_estimator final : public estimator {
public:
  std::string_view name() const noexcept override { return "carry_forward"; }

  bool supports(observation_scope) const noexcept override { return true; }

  known judge(const store_view& view, observation_scope scope) const override {
    carry_forward_rule rule;
    const auto judged = walk_window(view, scope, rule);
    return {rule.active.count(), (judged - rule.active).count(), 0};
  }
};

} // namespace

const estimator& carry_forward() noexcept {
  static const carry_forward_estimator only;
  return only;
}

} // namespace storemon::estimate
