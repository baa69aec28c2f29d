#include "storemon/report/writer_actor.hpp"

#include "storemon/report/frames.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace storemon::report {

namespace {

/// A report's text being written: some actors at once, each a small piece, so that other messages get their
/// turn between pieces.
struct writing {
  writing(csv_text what, const writing_order& order, written_listener to)
      : text(std::move(what)), pieces(text.pieces()), frames(order.frames ? text.pieces() : 0),
        left(text.pieces()), writers(order.writers), listener(std::move(to)), id(order.id) {}

  const csv_text text;
  std::vector<std::string> pieces;
  std::vector<std::string> frames; // of the pieces, where they are wanted
  std::atomic<size_t> left;        // pieces not yet written
  const size_t writers;
  const written_listener listener;
  const std::string id;
};

/// Rows of a piece: well under a millisecond of work.
constexpr size_t rows_per_piece = 512;

std::string joined(const std::vector<std::string>& pieces) {
  size_t bytes = 0;
  for (const auto& piece : pieces)
    bytes += piece.size();
  std::string all;
  all.reserve(bytes);
  for (const auto& piece : pieces)
    all += piece;
  return all;
}

/// Writes one piece and leaves the next of its row to another actor, at the end of the queue; whoever writes
/// the last piece joins them all and tells the listener.
void write_piece(caf::event_based_actor& self, const std::shared_ptr<writing>& work, size_t number) {
  // A thread that answers a poll would else wait for the core until the kernel's next tick.
  std::this_thread::yield();
  work->pieces[number] = work->text.piece(number);
  if (!work->frames.empty())
    work->frames[number] = compress(work->pieces[number]);
  if (number + work->writers < work->pieces.size())
    self.spawn([work, next = number + work->writers](caf::event_based_actor* writer) {
      write_piece(*writer, work, next);
    });
  if (work->left.fetch_sub(1) != 1)
    return;
  auto done = std::make_shared<written_report>();
  done->file = std::make_shared<protocol::report_file>("", joined(work->pieces));
  if (!work->frames.empty())
    done->frames = std::make_shared<const std::string>(joined(work->frames));
  self.send(work->listener, protocol::done_atom_v, work->id,
            std::shared_ptr<const written_report>(std::move(done)));
}

} // namespace

void write_report(caf::local_actor& parent, writing_order order, const written_listener& listener) {
  parent.spawn([order = std::move(order), listener](caf::event_based_actor* writer) mutable {
    const auto pieces = std::max(order.writers, order.stores / rows_per_piece);
    const auto work = std::make_shared<writing>(
        csv_text(std::move(order.request), *order.spec, std::move(order.parts), pieces), order, listener);
    for (size_t piece = 1; piece < work->writers; ++piece)
      writer->spawn([=](caf::event_based_actor* helper) { write_piece(*helper, work, piece); });
    write_piece(*writer, work, 0);
  });
}

} // namespace storemon::report
