#pragma once

#include "storemon/protocol/actors.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace storemon::test {

/// What a fake journal keeps of reports, and how it answers; it outlives the actors that play it.
struct journal_script {
  std::map<std::string, protocol::stored_report> kept; ///< by id
  std::vector<std::string> calls;                      ///< "put ID STATE" or "drop ID", as they came
  std::map<std::string, std::string> values;           ///< by name
  errc puts = errc::ok;                                ///< how puts end
  errc drops = errc::ok;
  errc reads = errc::ok;
  size_t reads_of_bytes = 0;
  bool holds = false;                       ///< puts wait to be told to go on
  std::deque<std::function<void()>> held{}; ///< puts that wait, in the order they came
};

/// How a fake journal is told to let so many of the puts held go on.
using fake_journal_actor = protocol::journal_actor::extend<caf::reacts_to<protocol::next_atom, uint32_t>>;

/// A journal that keeps reports as the script says, and nothing else.
inline fake_journal_actor::behavior_type fake_journal(fake_journal_actor::pointer self,
                                                      std::shared_ptr<journal_script> s) {
  using namespace protocol;
  using report_ptr = std::shared_ptr<const stored_report>;
  using reports_ptr = std::shared_ptr<const std::vector<stored_report>>;
  using bytes_ptr = std::shared_ptr<const std::string>;
  const auto refused = [](errc code) {
    return to_caf({code, "the script says " + std::string(to_string(code))});
  };
  const auto no_such = [refused](auto...) { return refused(errc::invalid_argument); };
  return {
      [=](open_atom, uint32_t) -> caf::result<opening> { return no_such(); },
      [=](replay_atom, uint32_t, uint64_t, const replay_cursor&) -> caf::result<shared_replay> {
        return no_such();
      },
      [=](append_atom, uint32_t, uint64_t, const shared_entries&) -> caf::result<uint64_t> {
        return no_such();
      },
      [=](snap_atom, const shared_snapshot&) -> caf::result<bool> { return no_such(); },
      [=](put_atom, const report_ptr& report) -> caf::result<bool> {
        s->calls.push_back("put " + report->status.id + " " + std::string(to_string(report->status.state)));
        auto answer = self->make_response_promise<bool>();
        std::function<void()> go_on = [=]() mutable {
          if (s->puts != errc::ok)
            return answer.deliver(refused(s->puts));
          auto& kept = s->kept[report->status.id];
          kept.status = report->status;
          if (report->bytes)
            kept.bytes = report->bytes;
          return answer.deliver(true);
        };
        if (s->holds)
          s->held.push_back(std::move(go_on));
        else
          go_on();
        return answer;
      },
      [=](drop_atom, const std::vector<std::string>& ids) -> caf::result<bool> {
        for (const auto& id : ids) {
          s->calls.push_back("drop " + id);
          if (s->drops == errc::ok)
            s->kept.erase(id);
        }
        if (s->drops != errc::ok)
          return refused(s->drops);
        return true;
      },
      [=](reports_atom) -> caf::result<reports_ptr> {
        if (s->reads != errc::ok)
          return refused(s->reads);
        std::vector<stored_report> all;
        for (const auto& [id, report] : s->kept)
          all.push_back({report.status, nullptr});
        return std::make_shared<const std::vector<stored_report>>(std::move(all));
      },
      [=](reports_atom, const std::string& id) -> caf::result<bytes_ptr> {
        ++s->reads_of_bytes;
        if (s->reads != errc::ok)
          return refused(s->reads);
        const auto found = s->kept.find(id);
        if (found == s->kept.end() || !found->second.bytes)
          return refused(errc::not_found);
        return found->second.bytes;
      },
      [=](get_atom, const std::string& name) -> caf::result<std::string> {
        if (s->reads != errc::ok)
          return refused(s->reads);
        return s->values[name];
      },
      [=](put_atom, const std::string& name, const std::string& value) -> caf::result<bool> {
        if (s->puts != errc::ok)
          return refused(s->puts);
        s->values[name] = value;
        return true;
      },
      [=](pin_atom) -> caf::result<std::vector<uint64_t>> { return no_such(); },
      [](unpin_atom) {},
      [=](backup_atom, const std::string&) -> caf::result<bool> { return no_such(); },
      [](health_atom) { return journal_health(); },
      [=](next_atom, uint32_t count) {
        for (; count > 0 && !s->held.empty(); --count) {
          const auto go_on = std::move(s->held.front());
          s->held.pop_front();
          go_on();
        }
      },
  };
}

} // namespace storemon::test
