#pragma once

#include "storemon/http/api.hpp"
#include "storemon/protocol/actors.hpp"
#include "storemon/protocol/errors.hpp"

#include <caf/all.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace storemon::test {

/// What the actors behind the API answer; a test writes it, the actors read it.
class script {
public:
  std::map<std::string, protocol::report_status> reports; ///< by id
  std::map<std::string, std::shared_ptr<const protocol::report_file>> files;
  result<std::string> triggered = std::string("00000000-0000-4000-8000-000000000001");
  std::vector<report_request> requests; ///< as they were triggered
  protocol::data_quality quality;
  protocol::health health;
  fleet_weights weights;
  result<std::shared_ptr<const protocol::import_result>> import =
      std::make_shared<const protocol::import_result>();
  bool silent = false; ///< both actors keep every question to themselves

  /// Reads or writes the script; any thread.
  template <class F>
  auto use(F f) {
    std::lock_guard lock(mutex_);
    return f(*this);
  }

private:
  std::mutex mutex_;
};

namespace fake {

template <class R>
caf::result<R> to_caf(const result<R>& r) {
  if (r)
    return *r;
  return protocol::to_caf(r.error());
}

/// `answer(script)` as R, or no answer at all while the script is silent.
template <class R, class Self, class F>
caf::result<R> play(Self self, const std::shared_ptr<script>& s, F answer) {
  return s->use([&](script& now) -> caf::result<R> {
    if (now.silent)
      return self->template make_response_promise<R>(); // dropping it sends nothing in CAF 0.17
    return to_caf<R>(answer(now));
  });
}

inline protocol::coordinator_actor::behavior_type coordinator(protocol::coordinator_actor::pointer self,
                                                              std::shared_ptr<script> s) {
  using namespace protocol;
  const auto find = [](script& now, const std::string& id) -> result<report_status> {
    const auto found = now.reports.find(id);
    if (found == now.reports.end())
      return error{errc::not_found, "there is no report " + id};
    return found->second;
  };
  return {[=](trigger_atom, const report_request& request) {
            return play<std::string>(self, s, [&](script& now) {
              now.requests.push_back(request);
              return now.triggered;
            });
          },
          [=](poll_atom, const std::string& id) {
            return play<report_status>(self, s, [&](script& now) { return find(now, id); });
          },
          [=](cancel_atom, const std::string& id) {
            return play<report_status>(self, s, [&](script& now) {
              const auto found = now.reports.find(id);
              if (found != now.reports.end() && found->second.state == report_state::running)
                found->second.state = report_state::cancelled;
              return find(now, id);
            });
          },
          [=](list_atom) {
            return play<std::vector<report_status>>(self, s, [](script& now) {
              std::vector<report_status> all;
              for (const auto& [id, report] : now.reports)
                all.push_back(report);
              return result<std::vector<report_status>>(std::move(all));
            });
          },
          [=](file_atom, const std::string& name) {
            using file_ptr = std::shared_ptr<const report_file>;
            return play<file_ptr>(self, s, [&](script& now) -> result<file_ptr> {
              const auto found = now.files.find(name);
              if (found == now.files.end())
                return error{errc::not_found, "there is no file " + name};
              return found->second;
            });
          },
          [=](quality_atom) {
            return play<shared_quality>(
                self, s, [](script& now) { return result<shared_quality>(shared_quality(now.quality)); });
          },
          [](placed_atom, const std::vector<shard_actor>&) {},
          [](weights_atom, const shared_weights&) {},
          [](stop_atom) { return true; }};
}

inline protocol::weights_actor::behavior_type weights(protocol::weights_actor::pointer self,
                                                      std::shared_ptr<script> s) {
  using namespace protocol;
  const auto in_force = [=] {
    return play<shared_weights>(
        self, s, [](script& now) { return result<shared_weights>(shared_weights(now.weights)); });
  };
  return {[=](get_atom) { return in_force(); }, [=](fit_atom) { return in_force(); },
          [](placed_atom, const std::vector<shard_actor>&) {}};
}

inline protocol::supervisor_actor::behavior_type supervisor(protocol::supervisor_actor::pointer self,
                                                            std::shared_ptr<script> s) {
  using namespace protocol;
  using import_ptr = std::shared_ptr<const import_result>;
  return {[](join_atom, const std::string&, const host_actor&) { return uint32_t{1}; },
          [=](health_atom) {
            return play<health>(self, s, [](script& now) { return result<health>(now.health); });
          },
          [](ready_atom) { return true; },
          [=](import_atom) { return play<import_ptr>(self, s, [](script& now) { return now.import; }); },
          [](stop_atom) { return true; }};
}

} // namespace fake

} // namespace storemon::test
