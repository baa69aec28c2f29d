#pragma once

#include "storemon/model/update.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

namespace storemon::partition {

/// Batches are remembered for so long, by the book's own time, so that a client that repeats one gets the
/// answer it missed.
inline constexpr std::chrono::days batch_memory_age_max(7);

/// The most that the book's time advances from one batch to the next. A clock that jumps a year ahead ages no
/// key by more, and one that jumps back ages none. Where batches are rarer, keys are known for longer.
inline constexpr std::chrono::hours book_step_max(1);

/// A batch without a key is known by its bytes for so long before and after it was written: only then is the
/// same body likely to be a retry.
inline constexpr std::chrono::minutes keyless_life(10);

/// What limits the memory that marks may take where clients send more batches than anyone should: about 120
/// MB a partition. Beyond it the oldest are forgotten early.
inline constexpr size_t batches_remembered_max = size_t{1} << 20;

/// The client batches that were applied, with the answers they got. What it holds depends on the sequence of
/// batches alone, and no clock is read: replay makes the same book.
class batch_book {
public:
  explicit batch_book(size_t batches_max = batches_remembered_max) : batches_max_(batches_max) {}

  /// Remembers a batch; one of the same key is replaced. Then forgets what is too old or too much.
  void remember(const remembered_batch& batch);

  /// What was remembered without a key of the client's is no longer known by its bytes: to send it again now
  /// would do something else than it did then.
  void seal() noexcept { sealed_ = first_ + order_.size(); }

  /// The batch of that key, or nullptr. It lives until the next call of remember.
  const remembered_batch* find(const std::array<uint64_t, 2>& key) const;

  /// The batch that a request is a repetition of, or nullptr: by its key, or without one by its bytes within
  /// keyless_life and unless sealed. Its body may be another. It lives until the next call of remember.
  const remembered_batch* repeated(const batch_mark& mark, instant now) const;

  size_t size() const noexcept { return batches_.size(); }

  /// The marks of all, in the order they were remembered.
  std::vector<batch_mark> marks() const;

  /// Calls `seen(const remembered_batch&)` for all, in the order they were remembered.
  template <class Seen>
  void for_each(Seen seen) const {
    for (const auto& p : order_)
      if (!p.replaced)
        seen(batches_.at(p.key).batch);
  }

private:
  using batch_key = std::array<uint64_t, 2>;

  struct place {
    duration age_clock; ///< the book's time
    batch_key key;
    bool replaced = false;
  };

  struct entry {
    remembered_batch batch;
    uint64_t serial; ///< its place is order_[serial - first_]
  };

  struct key_hash {
    size_t operator()(const batch_key& key) const noexcept { return key[0]; } // is SHA-256 already
  };

  void forget(const batch_key& key);

  size_t batches_max_;
  duration age_clock_{};
  instant last_written_ = instant::max(); ///< none yet
  std::deque<place> order_;
  uint64_t first_ = 0;  ///< serial of order_.front()
  uint64_t sealed_ = 0; ///< serials below it are not known by their bytes
  boost::unordered_flat_map<batch_key, entry, key_hash> batches_;
};

} // namespace storemon::partition
