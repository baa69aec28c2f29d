#include "storemon/node/member_actor.hpp"

#include <caf/io/all.hpp>

#include <set>

namespace storemon::node {

using namespace protocol;

void member_state::start(member_self::pointer self, member_options options, host_actor host) {
  self_ = self;
  options_ = std::move(options);
  host_ = std::move(host);
  if (!options_.leader_host.empty())
    seek();
}

void member_state::seek() {
  if (leader_)
    return;
  auto& system = self_->system();
  self_
      ->request(system.middleman().actor_handle(), caf::infinite, caf::connect_atom::value,
                options_.leader_host, options_.leader_port)
      .then(
          [this](const caf::node_id&, const caf::strong_actor_ptr& found,
                 const std::set<std::string>& interface) {
            auto& system = self_->system();
            if (!found || !system.assignable(interface, system.message_types<supervisor_actor>()))
              lost("what listens there is no leader of this version");
            else
              join(caf::actor_cast<supervisor_actor>(found));
          },
          [this](const caf::error& e) { lost("it cannot be reached: " + self_->system().render(e)); });
}

void member_state::join(supervisor_actor leader) {
  leader_ = std::move(leader);
  self_->monitor(leader_);
  const auto asked = leader_;
  self_->request(asked, caf::infinite, join_atom_v, options_.node_name, host_)
      .then(
          [this, asked](uint32_t) {
            if (leader_ == asked)
              joined();
          },
          [this, asked](const caf::error& e) {
            if (leader_ != asked)
              return;
            lost("it refused: " + from_caf(e).detail);
          });
}

void member_state::joined() {
  joined_ = true;
  options_.log_info("joined the leader as '" + options_.node_name + "'");
  for (auto& waiting : await_ready_)
    waiting.deliver(true);
  await_ready_.clear();
}

void member_state::lost(const std::string& why) {
  leader_ = nullptr;
  joined_ = false;
  if (last_failure_ != why)
    options_.log_error("without a leader: " + why);
  last_failure_ = why;
  if (!options_.leader_host.empty())
    self_->delayed_send(self_, options_.retry_pause, join_atom_v);
}

void member_state::down(const caf::down_msg& gone) {
  if (leader_ && gone.source == leader_.address())
    lost("the link to it is gone");
}

caf::result<bool> member_state::ready() {
  if (joined_)
    return true;
  auto answer = self_->make_response_promise<bool>();
  await_ready_.push_back(answer);
  return answer;
}

caf::result<protocol::health> member_state::health() {
  auto answer = self_->make_response_promise<protocol::health>();
  self_->request(host_, caf::infinite, census_atom_v)
      .then(
          [this, answer](uint32_t partitions) mutable {
            protocol::health h;
            h.ready = joined_;
            h.nodes.push_back({"leader", joined_, 0});
            h.nodes.push_back({options_.node_name, true, partitions});
            h.last_failure = last_failure_;
            answer.deliver(std::move(h));
          },
          [answer](caf::error& e) mutable { answer.deliver(std::move(e)); });
  return answer;
}

bool member_state::stop() {
  for (auto& waiting : await_ready_)
    waiting.deliver(to_caf({errc::shutting_down, "the node is being stopped"}));
  await_ready_.clear();
  self_->send_exit(host_, caf::exit_reason::user_shutdown);
  self_->quit(caf::exit_reason::user_shutdown);
  return true;
}

member_self::behavior_type member(member_self::stateful_pointer<member_state> self, member_options options,
                                  host_actor host) {
  auto& state = self->state;
  state.start(self, std::move(options), std::move(host));
  self->set_down_handler([&state](const caf::down_msg& gone) { state.down(gone); });
  return {
      [](join_atom, const std::string&, const host_actor&) -> caf::result<uint32_t> {
        return to_caf({errc::invalid_argument, "this node is a member itself; join its leader"});
      },
      [&state](health_atom) { return state.health(); },
      [&state](ready_atom) { return state.ready(); },
      [](import_atom) -> caf::result<std::shared_ptr<const import_result>> {
        return to_caf({errc::invalid_argument, "this node is a member; its leader imports"});
      },
      [&state](stop_atom) { return state.stop(); },
      [&state](join_atom, const supervisor_actor& leader) { state.join(leader); },
      [&state](join_atom) { state.seek(); },
  };
}

} // namespace storemon::node
