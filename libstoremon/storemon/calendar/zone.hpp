#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/instant.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace date {
class time_zone;
} // namespace date

namespace storemon::calendar {

/// One time zone of the system's tz database as a plain table of its changes: immutable, shared by all
/// threads. The table reaches as far as the database's own (Debian's: to the end of 2037); after its last
/// change the offset stays. Times handed in lie at least a week within what their type can hold.
class zone {
  /// A span of UTC with one offset; it lasts until the next one's `from`.
  struct stretch {
    instant from;
    duration offset;   ///< wall clock minus UTC
    wall_time read_to; ///< up to here, not included, the wall clock has read by the end of this stretch
  };

public:
  /// The zone of that IANA name; nullptr when the tz database has none, or one that cannot be read. The first
  /// call for a name reads it from the database, later ones only look it up. Never freed; thread-safe.
  static const zone* find(std::string_view name);

  /// Reads every zone of the database, so that no later find opens a file. Fails with io_failed naming the
  /// zone that is listed and cannot be read, or where there is no database.
  static result<void> load_all();

  /// The zone of a store whose own is missing or unknown: America/Chicago.
  /// @throws std::runtime_error on a system without it: that has no tz database, and every figure would be
  /// wrong. After load_all it does not throw.
  static const zone& fallback();

  const std::string& name() const noexcept { return name_; }

  /// The first instant whose wall clock reads `at` or later: a wall time that occurs twice means its first
  /// occurrence, one that does not exist the instant of the change. So the map is monotone.
  instant to_utc(wall_time at) const noexcept { return ascending(*this, at).to_utc(at); }

  /// The wall clock at an instant.
  wall_time to_wall(instant at) const noexcept;

  /// to_utc for wall times that never descend, none before `first`: walks along the table instead of
  /// searching it for each. Not to outlive its zone; one thread.
  class ascending {
  public:
    ascending(const zone& of, wall_time first) noexcept : current_(of.first_reading(first)) {}

    instant to_utc(wall_time at) noexcept {
      while (current_->read_to <= at)
        ++current_;
      return std::max(current_->from, instant((at - current_->offset).time_since_epoch()));
    }

  private:
    const stretch* current_;
  };

private:
  /// find, for zones that are listed and cannot be read: throws what the library throws at those.
  static const zone* find_or_throw(std::string_view name);

  /// Reads all the changes of `source`.
  /// @throws what the tz library throws at a file that holds no zone.
  explicit zone(const date::time_zone& source);

  /// The first stretch in which the wall clock reads later than `at`.
  const stretch* first_reading(wall_time at) const noexcept;

  std::string name_;
  std::vector<stretch> stretches_; ///< ascending, from the beginning of time to its end; not empty
};

} // namespace storemon::calendar
