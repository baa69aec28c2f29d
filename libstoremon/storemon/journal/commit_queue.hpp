#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/journal/ledger.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>

namespace storemon::journal {

/// A change on its way into the backend. Either `settle` or `fail` is called, once, when what it says is
/// durable.
struct change {
  std::optional<uint32_t> alone;           ///< the partition of which nothing else may be staged before it
  bool adds = true;                        ///< whether it needs room
  std::function<result<operation>()> make; ///< stages it; an error refuses it
  std::function<void(const operation&, errc)> settle; ///< it was part of a commit, with this outcome
  std::function<void(const error&)> fail;             ///< it was refused, or its commit failed
};

/// Changes that wait for the next commit. They are staged, made records of, only as it is put together, so
/// that a commit that fails leaves no trace.
class commit_queue {
public:
  bool empty() const noexcept { return waiting_.empty(); }

  void add(change c) { waiting_.push_back(std::move(c)); }

  /// Makes the first that wait durable in one commit, in order, and answers each of them. It takes no further
  /// one once payloads exceed `bytes_max`, nor one that must be alone in its partition and is not; those that
  /// need room fail with `no_room` where that is given. @returns how many changes the commit had, or why it
  /// failed.
  result<size_t> commit(backend& to, std::span<ledger> ledgers, size_t bytes_max,
                        const std::optional<error>& no_room);

private:
  std::deque<change> waiting_;
};

} // namespace storemon::journal
