#include "storemon/report/archive_actor.hpp"

#include "storemon/report/frames.hpp"

namespace storemon::report {

using namespace protocol;

namespace {

using bytes_ptr = std::shared_ptr<const std::string>;
using reader_actor = caf::typed_actor<op<file_ptr, file_atom, report_status, bytes_ptr>>;

/// Makes one file of what the journal has of it; an actor of its own, for that may take long.
reader_actor::behavior_type reader(reader_actor::pointer self) {
  return {[self](file_atom, const report_status& of, const bytes_ptr& frames) -> caf::result<file_ptr> {
    self->quit();
    auto text = expand(*frames, of.file_bytes);
    if (!text)
      return to_caf({text.error().code, "report " + of.id + ": " + text.error().detail});
    return std::make_shared<const report_file>(of.file_name, std::move(*text));
  }};
}

} // namespace

void archive_state::start(archive_actor::pointer self, archive_options options) {
  self_ = self;
  options_ = std::move(options);
  cache_ = file_cache(options_.cache_bytes_max);
}

caf::result<bool> archive_state::put(const std::shared_ptr<const stored_report>& report,
                                     const file_ptr& file) {
  auto answer = self_->make_response_promise<bool>();
  self_->request(options_.journal, caf::infinite, put_atom_v, report)
      .then(
          [this, answer, file, id = report->status.id](bool done) mutable {
            if (file)
              cache_.keep(id, file);
            answer.deliver(done);
          },
          [answer](caf::error& why) mutable { answer.deliver(std::move(why)); });
  return answer;
}

void archive_state::drop(const std::vector<std::string>& ids) {
  for (const auto& id : ids)
    cache_.forget(id);
  to_drop_.insert(to_drop_.end(), ids.begin(), ids.end());
  const auto asked = std::exchange(to_drop_, {});
  self_->request(options_.journal, caf::infinite, drop_atom_v, asked)
      .then([](bool) {},
            [this, asked](const caf::error& why) {
              to_drop_.insert(to_drop_.end(), asked.begin(), asked.end());
              options_.log_error("reports past their retention are still stored: " + from_caf(why).detail);
            });
}

caf::result<file_ptr> archive_state::file(const report_status& of) {
  if (auto cached = cache_.find(of.id))
    return cached;
  const bool first = !loads_.count(of.id);
  if (first && loads_.size() >= options_.loads_max)
    return to_caf({errc::busy, std::to_string(loads_.size()) + " reports are being read, the most allowed"});
  auto answer = self_->make_response_promise<file_ptr>();
  loads_[of.id].push_back(answer);
  if (first)
    load(of);
  return answer;
}

void archive_state::load(const report_status& of) {
  const auto fail = [this, id = of.id](const caf::error& why) { failed(id, why); };
  self_->request(options_.journal, caf::infinite, reports_atom_v, of.id)
      .then(
          [this, of, fail](const bytes_ptr& frames) {
            self_->request(self_->spawn(reader), caf::infinite, file_atom_v, of, frames)
                .then([this, id = of.id](const file_ptr& file) { loaded(id, file); }, fail);
          },
          fail);
}

void archive_state::loaded(const std::string& id, const file_ptr& file) {
  cache_.keep(id, file);
  auto waiting = loads_.extract(id);
  for (auto& answer : waiting.mapped())
    answer.deliver(file);
}

void archive_state::failed(const std::string& id, const caf::error& why) {
  options_.log_error("a report's file cannot be read: " + from_caf(why).detail);
  auto waiting = loads_.extract(id);
  for (auto& answer : waiting.mapped())
    answer.deliver(why);
}

archive_actor::behavior_type archive(archive_actor::stateful_pointer<archive_state> self,
                                     archive_options options) {
  const auto journal = options.journal;
  auto& state = self->state;
  state.start(self, std::move(options));
  return {
      [&state](put_atom, const std::shared_ptr<const stored_report>& report, const file_ptr& file) {
        return state.put(report, file);
      },
      [&state](drop_atom, const std::vector<std::string>& ids) { state.drop(ids); },
      [self, journal](reports_atom) { return self->delegate(journal, reports_atom_v); },
      [&state](file_atom, const report_status& of) { return state.file(of); },
  };
}

} // namespace storemon::report
