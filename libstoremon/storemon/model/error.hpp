#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace storemon {

/// What can go wrong, in the words the HTTP table, the tool's exit codes and the actors share.
enum class errc : uint8_t {
  ok = 0,
  invalid_argument, ///< a request that can never succeed as it stands
  not_found,        ///< no such report, store or file
  busy,             ///< a limit on concurrent work is reached; the same request may succeed later
  not_ready,        ///< data is still being loaded
  no_data,          ///< there is no observation to take "now" from
  cancelled,        ///< someone asked for it to stop
  partition_lost,   ///< a partition is without a shard, or its shard died or kept silent
  io_failed,        ///< the operating system refused a file
  bad_feed,         ///< a feed as a whole cannot be read: a needed column is missing
  shutting_down,    ///< the server is being stopped
  conflict,         ///< what is asked contradicts what is held, or the same is being done right now
  key_reused,       ///< an idempotency key came again with another body
  overloaded,      ///< more is waiting to be made durable than is allowed; the same request may succeed later
  too_large,       ///< more than one request may hold
  disk_full,       ///< there is no room to make the change durable
  storage_failing, ///< the journal cannot make anything durable at present
  fenced,          ///< another owner has taken the partition over
  damaged,         ///< what is stored fails its checks; nothing more is written to it
  interrupted,     ///< the server ended while it was under way
  internal,        ///< a broken promise of ours
};

/// Stable text of a code, as it appears in the `error` field of answers.
std::string_view to_string(errc code) noexcept;

/// A failure: its code, and one sentence for the reader.
struct error {
  errc code = errc::internal;
  std::string detail;
};

/// Found by boost::system::result when value() is called on a failure.
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw std::runtime_error(e.detail);
}

/// A value or an error; no exception crosses a room.
template <class T>
using result = boost::system::result<T, error>;

} // namespace storemon
