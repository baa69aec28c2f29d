#include "storemon/partition/shard_actor.hpp"

namespace storemon::partition {

using namespace protocol;

shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self, slice_limits limits) {
  self->state.limits = limits;
  return {
      [self](load_atom) -> loaded { return {}; },
      [self](batch_atom, const shared_batch& b) -> batch_result {
        return {self->state.data.apply(update(b->rows)), false, {}};
      },
      [self](marks_atom) -> shared_marks { return shared_marks(); },
      [self](store_atom, const std::string&) -> shared_card { return shared_card(); },
      [self](apply_atom, const shared_update& change) -> applied { return self->state.data.apply(*change); },
      [self](census_atom) -> census { return self->state.data.census(); },
      [self](rows_atom, const shared_spec& spec, const std::string& after) -> shared_columns {
        return self->state.data.rows(*spec, after, self->state.limits);
      },
      [self](quality_atom) -> shared_quality { return self->state.data.quality(); },
  };
}

} // namespace storemon::partition
