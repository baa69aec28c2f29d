#pragma once

#include "storemon/protocol/actors.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace storemon::report {

struct store_desk_options {
  /// Questions under way at once; one more is refused as busy, for mailboxes have no end of their own.
  size_t questions_max = 1000;
  /// A timeline's span: bounds the work and the size of an answer.
  duration span_max = std::chrono::days(31);
  /// A question whose shards keep silent so long fails, naming their partitions.
  std::chrono::milliseconds timeout = std::chrono::seconds(5);
  /// The hour: what is taken for "now" as long as there is no observation at all.
  std::function<instant()> now;
};

/// The spec of a portrait as of an instant: the standard windows, by telegraph.
report_spec portrait_spec(instant as_of);

/// The spec of a timeline: its span as the only window. Fails with invalid_argument where that is empty or
/// longer than allowed.
result<report_spec> timeline_spec(const protocol::store_question& asked, instant as_of, duration span_max);

/// What the desk hears besides: the time of a question is over.
using store_desk_self = protocol::store_desk_actor::extend<caf::reacts_to<protocol::deadline_atom, uint64_t>>;

/// The questions under way. Each goes through two steps: unless it names its own "now", a census of all
/// shards that are there fixes it; then the store's shard is asked.
class store_desk_state {
public:
  static inline const char* name = "store-desk";

  void start(store_desk_self::pointer self, store_desk_options options);

  caf::result<protocol::shared_portrait> portrait(const std::string& store,
                                                  const protocol::store_question& asked);
  caf::result<protocol::shared_timeline> timeline(const std::string& store,
                                                  const protocol::store_question& asked);

  void placed(std::vector<protocol::shard_actor> shards);
  void weigh_with(const protocol::shared_weights& weights);
  void deadline(uint64_t number);
  void shard_down(const caf::actor_addr& gone);

private:
  using portrait_promise = caf::typed_response_promise<protocol::shared_portrait>;
  using timeline_promise = caf::typed_response_promise<protocol::shared_timeline>;

  struct job {
    std::variant<portrait_promise, timeline_promise> answer;
    std::string store;
    protocol::store_question asked;
    uint32_t partition = 0;     ///< of the store
    std::set<uint32_t> waiting; ///< partitions asked that have not answered
    bool counting = false;      ///< they were asked for their census
    protocol::census counted;
  };

  template <class Answer>
  caf::result<Answer> take(const std::string& store, const protocol::store_question& asked);
  error not_serving(uint32_t partition) const;
  /// The job of that number; null where it is over.
  job* find(uint64_t number);
  void take_census(uint64_t number, job& j);
  void counted(uint64_t number, uint32_t partition, const protocol::census& c);
  void ask_shard(uint64_t number, job& j, instant as_of);
  template <class Answer, class Atom>
  void ask_shard(uint64_t number, const job& j, Atom what, report_spec spec);
  void fail(uint64_t number, const error& why);
  void lost(uint32_t partition);

  store_desk_self::pointer self_ = nullptr;
  store_desk_options options_;
  std::vector<protocol::shard_actor> shards_;
  std::optional<protocol::shared_weights> weights_; // nothing: the journal may keep some
  std::map<uint64_t, job> jobs_;
  uint64_t last_job_ = 0;
};

/// STORE DESK. Monitors the shards it is given: of a shard that is gone CAF answers no request.
store_desk_self::behavior_type store_desk(store_desk_self::stateful_pointer<store_desk_state> self,
                                          store_desk_options options);

} // namespace storemon::report
