#pragma once

#include "support/fake_services.hpp"
#include "support/scratch_directory.hpp"

#include <condition_variable>
#include <optional>

namespace storemon::test {

/// What intake and exporter answer, and what they were asked; a test writes it, the actors read it.
class intake_script {
public:
  result<std::shared_ptr<const protocol::intake_result>> taken =
      std::make_shared<const protocol::intake_result>();
  std::vector<protocol::intake_request> orders;
  result<applied> changed = applied{1, 0, 0};
  std::vector<update> changes;
  std::map<std::string, protocol::store_card> cards;
  std::map<std::string, protocol::store_portrait> portraits; ///< of others the desk knows the card only
  std::map<std::string, protocol::store_timeline> timelines;
  std::vector<protocol::store_question> questions;                      ///< as the desk was asked them
  result<protocol::import_status> imported = protocol::import_status(); ///< its id and feed are filled in
  std::vector<protocol::import_order> imports;
  std::vector<std::string> imported_texts; ///< what the files held
  std::map<std::string, protocol::import_status> known_imports;
  result<uint64_t> export_begun = uint64_t{7};
  std::vector<std::string> pieces;
  std::optional<error> piece_failure; ///< after the pieces, instead of their end
  bool endless = false;               ///< the last piece comes again and again
  size_t pulled = 0;
  std::vector<feed_kind> exports;
  std::vector<uint64_t> dropped;
  bool silent = false;
  bool holding = false; ///< the intake keeps observations waiting for its answer

  template <class F>
  auto use(F f) {
    std::lock_guard lock(mutex_);
    changed_.notify_all();
    return f(*this);
  }

  /// Waits until `holds(script)`; false when that does not come.
  template <class F>
  bool await(F holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return holds(*this); });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

namespace fake {

template <class R, class Self, class F>
caf::result<R> play(Self self, const std::shared_ptr<intake_script>& s, F answer) {
  return s->use([&](intake_script& now) -> caf::result<R> {
    if (now.silent)
      return self->template make_response_promise<R>();
    return to_caf<R>(answer(now));
  });
}

inline protocol::intake_actor::behavior_type intake(protocol::intake_actor::pointer self,
                                                    std::shared_ptr<intake_script> s) {
  using namespace protocol;
  using taken_ptr = std::shared_ptr<const intake_result>;
  return {[=](ingest_atom, const intake_request& order) {
            s->use([&](intake_script& now) { now.orders.push_back(order); });
            s->await([](intake_script& now) { return !now.holding; });
            return play<taken_ptr>(self, s, [](intake_script& now) { return now.taken; });
          },
          [=](change_atom, const update& change) {
            return play<applied>(self, s, [&](intake_script& now) {
              now.changes.push_back(change);
              return now.changed;
            });
          },
          [=](store_atom, const std::string& id) {
            return play<shared_card>(self, s, [&](intake_script& now) {
              const auto found = now.cards.find(id);
              return result<shared_card>(
                  shared_card(found == now.cards.end() ? store_card() : found->second));
            });
          },
          [=](import_atom, const import_order& order) {
            return play<import_status>(self, s, [&](intake_script& now) -> result<import_status> {
              now.imports.push_back(order);
              now.imported_texts.push_back(read_file(order.path));
              if (!now.imported)
                return now.imported;
              auto status = *now.imported;
              status.id = order.id;
              status.feed = order.feed;
              now.known_imports[order.id] = status;
              return status;
            });
          },
          [=](poll_atom, const std::string& id) {
            return play<import_status>(self, s, [&](intake_script& now) -> result<import_status> {
              const auto found = now.known_imports.find(id);
              if (found == now.known_imports.end())
                return error{errc::not_found, "there is no import " + id};
              return found->second;
            });
          },
          [=](list_atom) {
            return play<std::vector<import_status>>(self, s, [](intake_script& now) {
              std::vector<import_status> all;
              for (const auto& [id, status] : now.known_imports)
                all.push_back(status);
              return result<std::vector<import_status>>(std::move(all));
            });
          },
          [](stop_atom) { return true; },
          [](placed_atom, const std::vector<shard_actor>&) {}};
}

inline protocol::store_desk_actor::behavior_type desk(protocol::store_desk_actor::pointer self,
                                                      std::shared_ptr<intake_script> s) {
  using namespace protocol;
  return {[=](portrait_atom, const std::string& id, const store_question& asked) {
            return play<shared_portrait>(self, s, [&](intake_script& now) -> result<shared_portrait> {
              now.questions.push_back(asked);
              if (const auto found = now.portraits.find(id); found != now.portraits.end())
                return shared_portrait(found->second);
              const auto known = now.cards.find(id);
              if (known == now.cards.end())
                return error{errc::not_found, "nothing is known of such a store"};
              store_portrait portrait;
              portrait.card = known->second;
              return shared_portrait(std::move(portrait));
            });
          },
          [=](timeline_atom, const std::string& id, const store_question& asked) {
            return play<shared_timeline>(self, s, [&](intake_script& now) -> result<shared_timeline> {
              now.questions.push_back(asked);
              const auto found = now.timelines.find(id);
              if (found == now.timelines.end())
                return error{errc::not_found, "nothing is known of such a store"};
              return shared_timeline(found->second);
            });
          },
          [](placed_atom, const std::vector<shard_actor>&) {}, [](weights_atom, const shared_weights&) {}};
}

inline protocol::exporter_actor::behavior_type exporter(protocol::exporter_actor::pointer self,
                                                        std::shared_ptr<intake_script> s) {
  using namespace protocol;
  using piece_ptr = std::shared_ptr<const std::string>;
  return {[=](export_atom, feed_kind feed) {
            return play<uint64_t>(self, s, [&](intake_script& now) {
              now.exports.push_back(feed);
              return now.export_begun;
            });
          },
          [=](next_atom, uint64_t) {
            return play<piece_ptr>(self, s, [](intake_script& now) -> result<piece_ptr> {
              const auto at = now.pulled++;
              if (at < now.pieces.size())
                return std::make_shared<const std::string>(now.pieces[at]);
              if (now.endless)
                return std::make_shared<const std::string>(now.pieces.back());
              if (now.piece_failure)
                return *now.piece_failure;
              return std::make_shared<const std::string>();
            });
          },
          [=](drop_atom, uint64_t number) {
            s->use([&](intake_script& now) { now.dropped.push_back(number); });
          }};
}

} // namespace fake

} // namespace storemon::test
