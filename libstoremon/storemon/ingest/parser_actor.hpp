#pragma once

#include "storemon/ingest/chunk_reader.hpp"
#include "storemon/ingest/feed_parser.hpp"
#include "storemon/protocol/actors.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace storemon::ingest {

/// A chunk on its way through a parser and back: parsing adds the summary, and the memory is used again.
struct chunk_job {
  uint64_t number = 0; ///< place in the file, 0 for the first
  chunk bytes;
  chunk_summary summary;
};

using chunk_job_pointer = std::shared_ptr<chunk_job>;

/// What all updates of a parser did.
struct parser_totals {
  applied done;
  std::set<uint32_t> lost; ///< partitions whose shard is gone or took an update no more
};

using parse_atom = caf::atom_constant<caf::atom("parse")>;
using flush_atom = caf::atom_constant<caf::atom("flush")>;
/// PARSER: one of an import's workers. Turns chunks into updates and sends them to the shards. Both requests
/// fail with disk_full or storage_failing once a shard did: then nothing more is sent.
using parser_actor = caf::typed_actor<
    /// Parses a chunk; answers when that is done and few enough of the parser's updates are unanswered.
    protocol::op<chunk_job_pointer, parse_atom, chunk_job_pointer>,
    /// Sends what is left; answers what all updates did once the last is applied.
    protocol::op<parser_totals, flush_atom>,
    /// The shard of a partition is gone: nothing is expected from it, nothing more is sent to it.
    caf::reacts_to<protocol::lost_atom, uint32_t>>;

struct parser_options {
  layout where;
  router_options routing;
  /// Updates a parser has under way before it takes another chunk: the shards' mailboxes have no end of their
  /// own.
  size_t updates_in_flight_max = 64;
};

class parser_state {
public:
  static inline const char* name = "parser";

  void start(parser_actor::pointer self, const parser_options& options,
             std::vector<protocol::shard_actor> shards);

  caf::result<chunk_job_pointer> parse(chunk_job_pointer job);
  caf::result<parser_totals> flush();
  void lost(uint32_t partition);

private:
  void send(uint32_t partition, update change);
  void refused(uint32_t partition, const error& why);
  void answered(uint32_t partition);
  void settle();

  parser_actor::pointer self_ = nullptr;
  size_t updates_in_flight_max_ = 0;
  std::optional<feed_parser<std::function<void(uint32_t, update)>>> parser_;
  std::vector<protocol::shard_actor> shards_; // null: not wanted, or lost
  std::vector<uint32_t> unanswered_;          // updates under way, by partition
  size_t in_flight_ = 0;                      // their sum
  parser_totals totals_;
  std::optional<error> failure_; // for good
  // At most one of each waits, for the importer sends no second before the first is answered.
  std::vector<std::pair<caf::typed_response_promise<chunk_job_pointer>, chunk_job_pointer>> parsed_;
  std::optional<caf::typed_response_promise<parser_totals>> flushed_;
};

/// @param shards  by partition; a null handle: the partition's rows are passed over
parser_actor::behavior_type parser(parser_actor::stateful_pointer<parser_state> self,
                                   const parser_options& options, std::vector<protocol::shard_actor> shards);

} // namespace storemon::ingest

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::ingest::chunk_job_pointer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::ingest::parser_totals)
