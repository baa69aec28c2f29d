#include "storemon/node/host_actor.hpp"

namespace storemon::node {

using namespace protocol;

host_state::~host_state() {
  for (const auto& [partition, shard] : shards)
    caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
}

host_actor::behavior_type host(host_actor::stateful_pointer<host_state> self,
                               const partition::shard_options& options) {
  return {
      [self, options](spawn_atom, const std::vector<uint32_t>& partitions,
                      const journal_actor& journal) -> std::vector<shard_actor> {
        auto own = options;
        own.journal = journal;
        std::vector<shard_actor> made;
        made.reserve(partitions.size());
        for (const auto p : partitions) {
          auto& shard = self->state.shards[p];
          if (shard)
            self->send_exit(shard, caf::exit_reason::kill);
          own.partition = p;
          shard = self->system().spawn(partition::shard, own);
          made.push_back(shard);
        }
        return made;
      },
      [self](census_atom) { return static_cast<uint32_t>(self->state.shards.size()); },
      [self](stop_atom) { self->quit(caf::exit_reason::user_shutdown); },
  };
}

} // namespace storemon::node
