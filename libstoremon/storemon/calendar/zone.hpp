#pragma once

#include "storemon/model/instant.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace storemon::calendar {

/// One time zone of the system's tz database as a plain table of its changes: immutable, shared by all
/// threads.
class zone {
public:
  /// The zone of that IANA name; nullptr when the tz database has none. The first call for a name reads it
  /// from the database, later ones only look it up. Never freed; thread-safe.
  static const zone* find(std::string_view name);

  /// The zone of a store whose own is missing or unknown: America/Chicago.
  static const zone& fallback();

  const std::string& name() const noexcept { return name_; }

  /// The first instant whose wall clock reads `at` or later: a wall time that occurs twice means its first
  /// occurrence, one that does not exist the instant of the change. So the map is monotone.
  instant to_utc(wall_time at) const noexcept;

  /// The wall clock at an instant.
  wall_time to_wall(instant at) const noexcept;

private:
  // Defined by whoever implements this room.
};

} // namespace storemon::calendar
