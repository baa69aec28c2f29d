#pragma once

#include "storemon/protocol/actors.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace storemon::report {

struct weights_options {
  /// Where the last fit outlives the process; null: nowhere.
  protocol::journal_actor journal{};
  /// Who is told of the weights in force as soon as they are known, and of every change; may be null.
  protocol::coordinator_actor coordinator{};
  protocol::store_desk_actor desk{};
  /// No fit is begun unless someone asks for one.
  bool only_when_asked = false;
  /// How often the shards are asked how much they hold, to tell whether a fit is due.
  std::chrono::milliseconds check_every = std::chrono::seconds(10);
  /// Weights older than this are fitted again even where little was polled since.
  duration age_max = std::chrono::days(1);
  /// Slices of stores looked at at once: enough to keep every worker busy, few enough that other messages do
  /// not wait behind a queue of them.
  size_t slices_in_flight = 4;
  /// A fit is given up after this: shards or journal keep silent.
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  /// Where the hour comes from.
  std::function<instant()> now;
  /// Take a sentence for the log.
  std::function<void(const std::string&)> log_info = [](const std::string&) {};
  std::function<void(const std::string&)> log_error = [](const std::string&) {};
};

/// What it hears besides: its own timers.
using weights_self = protocol::weights_actor::extend<
    /// Look whether a fit is due.
    caf::reacts_to<protocol::next_atom>,
    /// Read the weights kept by the journal again.
    caf::reacts_to<protocol::weights_atom>,
    /// The time of a fit is over.
    caf::reacts_to<protocol::deadline_atom, uint64_t>>;

/// The weights in force and the fit under way. A fit goes through four steps: a census fixes "now" and tells
/// whether a fit is due; every shard looks at its stores, slice by slice, and keeps what it saw; then, round
/// by round, all shards count their stores under the weights of the round before
/// (estimate/fleet_weights.hpp); at last the journal keeps the outcome. A fit that loses a shard, or finds it
/// silent, is given up, and the weights before stay in force.
class weights_state {
public:
  static inline const char* name = "weights";

  void start(weights_self::pointer self, weights_options options);

  caf::result<protocol::shared_weights> get() const;
  caf::result<protocol::shared_weights> fit();

  void placed(std::vector<protocol::shard_actor> shards);
  void restore();
  void check();
  void deadline(uint64_t fit);
  void shard_down(const caf::actor_addr& gone);

private:
  struct job {
    uint64_t number = 0;
    bool wanted = false;        ///< whether it is due or not
    std::set<uint32_t> waiting; ///< partitions that have not yet given all they have been asked for
    protocol::census counted;
    bool looked = false; ///< shards may keep something for it
    std::map<uint32_t, protocol::fit_order> to_ask;
    size_t in_flight = 0;
    fleet_weights weights; ///< of the last round
    int rounds = 0;        ///< that are over
    behaviour_counts counts;
  };

  void restored(const std::string& text);
  void put_in_force(fleet_weights weights);
  error not_placed() const;
  bool due(const protocol::census& held) const;

  void begin(bool wanted);
  /// The job of that number; null where it is over.
  job* find(uint64_t fit);
  /// Asks every shard the same.
  template <class Answer, class... Args>
  void ask_all(void (weights_state::*then)(job&, uint32_t, const Answer&), const Args&... args);
  void counted(job& j, uint32_t partition, const protocol::census& c);
  void ask_slices(job& j);
  void observed(job& j, uint32_t partition, const protocol::fit_slice& slice);
  void next_round(job& j);
  void counted_classes(job& j, uint32_t partition, const protocol::shared_counts& counts);
  void keep(job& j);
  void fitted(job& j);
  void give_up(error why);
  void end();

  weights_self::pointer self_ = nullptr;
  weights_options options_;
  bool restored_ = false; // whether it is known what the journal keeps
  protocol::shared_weights in_force_;
  uint64_t last_version_ = 0; // of any fit, kept or not
  std::vector<protocol::shard_actor> shards_;
  std::optional<job> job_;
  uint64_t last_fit_ = 0;
  std::vector<caf::typed_response_promise<protocol::shared_weights>> waiting_; // for the end of the fit
};

/// WEIGHTS. Monitors the shards it is given: of a shard that is gone CAF answers no request.
weights_self::behavior_type weights(weights_self::stateful_pointer<weights_state> self,
                                    weights_options options);

} // namespace storemon::report
