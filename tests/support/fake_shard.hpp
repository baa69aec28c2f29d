#pragma once

#include "storemon/protocol/actors.hpp"

namespace storemon::test {

/// A shard that says it holds `counted`, and when asked for rows, or for its part in a fit, has none, or is
/// silent for ever.
inline protocol::shard_actor::behavior_type fake_shard(protocol::shard_actor::pointer self,
                                                       protocol::census counted, bool silent) {
  using namespace protocol;
  return {
      [](load_atom) { return loaded(); },
      [](apply_atom, const shared_update&) { return applied(); },
      [](batch_atom, const shared_batch&) { return batch_result(); },
      [](check_atom, const shared_batch&) { return batch_result(); },
      [](marks_atom) { return shared_marks(); },
      [counted](census_atom) { return counted; },
      [self, silent](rows_atom, const shared_spec&, const std::string&) -> caf::result<shared_columns> {
        if (silent)
          return self->make_response_promise<shared_columns>(); // a dropped promise sends nothing in CAF 0.17
        return shared_columns(report_columns());
      },
      [](quality_atom) { return shared_quality(); },
      [](store_atom, const std::string&) { return shared_card(); },
      [self, silent](portrait_atom, const std::string&, const shared_spec&) -> caf::result<shared_portrait> {
        if (silent)
          return self->make_response_promise<shared_portrait>();
        return shared_portrait();
      },
      [self, silent](timeline_atom, const std::string&, const shared_spec&) -> caf::result<shared_timeline> {
        if (silent)
          return self->make_response_promise<shared_timeline>();
        return shared_timeline();
      },
      [self, silent](fit_atom, const fit_order&) -> caf::result<fit_slice> {
        if (silent)
          return self->make_response_promise<fit_slice>();
        return fit_slice();
      },
      [](counts_atom, uint64_t, const shared_weights&) { return shared_counts(); },
      [](drop_atom, uint64_t) {},
  };
}

} // namespace storemon::test
