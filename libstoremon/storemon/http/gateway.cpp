#include "storemon/http/gateway.hpp"

#include <vector>

namespace storemon::http {

gateway::gateway(caf::actor_system& system, boost::asio::any_io_executor executor)
    : self_(system.spawn<caf::actor_companion, caf::hidden>()), timer_(std::move(executor)) {
  auto* companion = caf::actor_cast<caf::actor_companion*>(self_);
  companion->on_enqueue([this](caf::mailbox_element_ptr element) { on_message(*element); });
}

gateway::~gateway() {
  stop();
}

result<std::pair<uint64_t, caf::strong_actor_ptr>> gateway::enter(std::unique_ptr<slot>& waiting) {
  std::lock_guard lock(mutex_);
  if (stopped_)
    return error{errc::shutting_down, "the server is being stopped"};
  const auto id = ++last_id_;
  slots_.emplace(id, std::move(waiting));
  return std::pair(id, caf::actor_cast<caf::strong_actor_ptr>(self_));
}

void gateway::on_message(caf::mailbox_element& element) {
  if (!element.mid.is_response())
    return;
  std::unique_ptr<slot> waiting;
  {
    std::lock_guard lock(mutex_);
    const auto found = slots_.find(element.mid.request_id().integer_value());
    if (found == slots_.end())
      return;
    waiting = std::move(found->second);
    slots_.erase(found);
  }
  waiting->answer(element.move_content_to_message());
}

void gateway::watch() {
  if (watching_)
    return;
  watching_ = true;
  timer_.expires_after(sweep_interval);
  timer_.async_wait([this](boost::system::error_code failure) {
    if (!failure)
      sweep();
  });
}

void gateway::sweep() {
  watching_ = false;
  std::vector<std::unique_ptr<slot>> late;
  bool more = false;
  {
    std::lock_guard lock(mutex_);
    const auto now = clock::now();
    for (auto it = slots_.begin(); it != slots_.end();) {
      if (it->second->deadline <= now) {
        late.push_back(std::move(it->second));
        it = slots_.erase(it);
      } else {
        ++it;
      }
    }
    more = !slots_.empty();
  }
  for (auto& waiting : late)
    waiting->fail({errc::busy, "an actor gave no answer in time"});
  if (more)
    watch();
}

void gateway::stop() {
  std::unordered_map<uint64_t, std::unique_ptr<slot>> left;
  caf::actor self;
  {
    std::lock_guard lock(mutex_);
    if (stopped_)
      return;
    stopped_ = true;
    left.swap(slots_);
    self = std::move(self_);
    self_ = nullptr;
  }
  auto* companion = caf::actor_cast<caf::actor_companion*>(self);
  companion->on_enqueue({}); // returns once no thread is inside on_message()
  // Without this CAF's registry destroys the companion after its scheduler, and crashes.
  companion->cleanup(caf::make_error(caf::exit_reason::user_shutdown), nullptr);
  for (auto& [id, waiting] : left)
    waiting->fail({errc::shutting_down, "the server is being stopped"});
}

size_t gateway::pending() const {
  std::lock_guard lock(mutex_);
  return slots_.size();
}

} // namespace storemon::http
