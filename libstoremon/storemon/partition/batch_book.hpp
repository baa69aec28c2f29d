#pragma once

#include "storemon/model/update.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

namespace storemon::partition {

/// Batches are remembered for so long, counted back from the newest of them, so that a client that repeats
/// one gets the answer it missed.
inline constexpr std::chrono::days batch_memory_age_max(7);

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

  /// The batch of that key, or nullptr. It lives until the next call of remember.
  const remembered_batch* find(const std::array<uint64_t, 2>& key) const;

  size_t size() const noexcept { return order_.size(); }

  /// The marks of all, oldest first.
  std::vector<batch_mark> marks() const;

  /// All batches written in `[from, to)`, oldest first.
  std::vector<remembered_batch> written_in(instant from, instant to) const;

  /// When the oldest and the newest were written; not to be asked of an empty book.
  instant oldest() const { return order_.front().written; }

  instant newest() const { return order_.back().written; }

private:
  using batch_key = std::array<uint64_t, 2>;

  struct place {
    instant written;
    batch_key key;

    friend auto operator<=>(const place&, const place&) = default;
  };

  struct key_hash {
    size_t operator()(const batch_key& key) const noexcept { return key[0]; } // is SHA-256 already
  };

  void forget(const batch_key& key);

  size_t batches_max_;
  std::deque<place> order_; ///< ascending
  boost::unordered_flat_map<batch_key, remembered_batch, key_hash> batches_;
};

} // namespace storemon::partition
