#pragma once

#include "storemon/protocol/actors.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace storemon::node {

struct member_options {
  std::string node_name;
  /// Where the leader listens; an empty host: the leader is told by message only.
  std::string leader_host;
  uint16_t leader_port = 0;
  /// Before a leader that is gone, or refused, is tried again. At least 100 ms, for CAF 0.17 may otherwise
  /// give back the dead link.
  std::chrono::milliseconds retry_pause = std::chrono::seconds(1);
  std::function<void(const std::string&)> log_info;
  std::function<void(const std::string&)> log_error;
};

using member_self = protocol::supervisor_actor::extend<
    /// Here is the leader: join it.
    caf::reacts_to<protocol::join_atom, protocol::supervisor_actor>,
    /// Look for the leader again.
    caf::reacts_to<protocol::join_atom>>;

/// The supervisor's stand-in on a member node: offers the node's host to the leader, and does so again
/// whenever the link was lost. The leader fills the shards anew each time.
class member_state {
public:
  static inline const char* name = "member";

  void start(member_self::pointer self, member_options options, protocol::host_actor host);

  void seek();
  void join(protocol::supervisor_actor leader);
  void down(const caf::down_msg& gone);
  caf::result<bool> ready();
  caf::result<protocol::health> health();
  bool stop();

private:
  void joined();
  void lost(const std::string& why);

  member_self::pointer self_ = nullptr;
  member_options options_;
  protocol::host_actor host_;
  protocol::supervisor_actor leader_; // null: none found, or lost
  bool joined_ = false;
  std::string last_failure_;
  std::vector<caf::typed_response_promise<bool>> await_ready_;
};

/// MEMBER. Answers as a supervisor does: `ready` once it has joined; it joins nobody and imports nothing
/// itself.
member_self::behavior_type member(member_self::stateful_pointer<member_state> self, member_options options,
                                  protocol::host_actor host);

} // namespace storemon::node
