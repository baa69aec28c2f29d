#pragma once

#include "storemon/ingest/batch_worker_actor.hpp"
#include "storemon/ingest/import_desk_actor.hpp"
#include "storemon/ingest/known_keys.hpp"
#include "storemon/protocol/actors.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace storemon::ingest {

struct intake_options {
  /// Records of one body; see body_limits.
  size_t records_max = 100'000;
  /// How far ahead of the server's clock an observation may be: clocks differ, but a poll is no forecast.
  std::chrono::seconds future_max = std::chrono::minutes(5);
  /// Bytes of all bodies under way, and of one: bounds memory, for mailboxes have no end of their own.
  size_t bytes_in_flight_max = size_t{64} << 20;
  /// What a request counts beyond its body: so many small ones are bounded too.
  size_t request_bytes = 4096;
  /// Bytes of rows under way to one partition: one that is slow holds up its own clients and no others. A
  /// request that finds nothing under way may have more.
  size_t partition_bytes_max = size_t{8} << 20;
  /// A request whose shards keep silent so long fails, naming one of them.
  std::chrono::milliseconds silence_max = std::chrono::seconds(10);
  /// Bytes of an idempotency key.
  size_t key_bytes_max = 200;
  /// Keys remembered here, 64 bytes each: beyond them only the shards that have the batch refuse another
  /// body.
  size_t keys_max = 1'000'000;
  /// How long keys are remembered, from the moment they are learned.
  std::chrono::seconds key_life = std::chrono::hours(7 * 24);
  /// Where the hour comes from, so that tests can say.
  std::function<instant()> now;
  import_desk_options imports; ///< without `now`: it is the one above
};

/// What the intake hears besides its clients: its own timer.
using intake_self = protocol::intake_actor::extend<caf::reacts_to<protocol::deadline_atom>>;

/// What clients sent and is not yet answered. A request is read and brought to the shards by a worker of its
/// own; here is only what it takes to let it in, and to let go of it.
class intake_state {
public:
  static inline const char* name = "intake";

  intake_state() = default;
  intake_state(const intake_state&) = delete;
  intake_state& operator=(const intake_state&) = delete;

  /// However the intake ends, its workers end with it.
  ~intake_state();

  void start(intake_self::pointer self, intake_options options);

  caf::result<std::shared_ptr<const protocol::intake_result>> ingest(protocol::intake_request request);
  caf::result<applied> change(update what);
  caf::result<protocol::shared_card> card(const std::string& store);
  caf::result<bool> stop();

  const import_desk_actor& imports() const noexcept { return imports_; }

  void placed(std::vector<protocol::shard_actor> shards);
  void timer();
  void down(const caf::down_msg& gone);

private:
  using time = std::chrono::steady_clock::time_point;

  /// A client's request, until its worker has ended.
  struct flight {
    batch_worker_actor worker;
    caf::typed_response_promise<std::shared_ptr<const protocol::intake_result>> answer;
    time began;
    size_t bytes = 0;
    batch_load load; // admitted
    bool answered = false;
  };

  /// A question to one shard.
  struct question {
    uint32_t partition = 0;
    time began;
    std::function<void(const error&)> fail;
  };

  std::optional<error> refusal() const;
  std::optional<error> refusal(const protocol::intake_request& request) const;
  std::optional<error> refusal(const batch_load& load) const;
  void admit(const caf::actor_addr& worker, batch_load load);
  void finish(const caf::actor_addr& worker, const batch_outcome& outcome);
  void refuse(const caf::actor_addr& worker, const error& why);
  void let_go(flight& f);

  template <class R, class... Args>
  caf::result<R> ask_shard(std::string_view store, Args&&... args);

  void lost(uint32_t partition);
  void learn_keys(const protocol::shard_actor& from);
  void arm_timer();
  time clock() const;
  void end_if_idle();

  intake_self::pointer self_ = nullptr;
  intake_options options_;
  import_desk_actor imports_;
  placement shards_ = std::make_shared<const std::vector<protocol::shard_actor>>();
  std::unordered_map<caf::actor_addr, flight> flights_; // by worker
  std::set<std::array<uint64_t, 2>> keys_in_flight_;
  std::optional<known_keys> known_;
  size_t bytes_in_flight_ = 0;
  std::map<uint32_t, size_t> partition_bytes_; // under way
  uint64_t next_question_ = 0;
  std::map<uint64_t, question> questions_;
  bool timer_armed_ = false;
  bool stopping_ = false;
  bool imports_over_ = false;
  std::vector<caf::typed_response_promise<bool>> stops_;
};

/// INTAKE.
intake_self::behavior_type intake(intake_self::stateful_pointer<intake_state> self, intake_options options);

} // namespace storemon::ingest
