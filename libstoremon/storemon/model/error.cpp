#include "storemon/model/error.hpp"

namespace storemon {

std::string_view to_string(errc code) noexcept {
  switch (code) {
  case errc::ok:
    return "ok";
  case errc::invalid_argument:
    return "invalid_argument";
  case errc::not_found:
    return "not_found";
  case errc::busy:
    return "busy";
  case errc::not_ready:
    return "not_ready";
  case errc::no_data:
    return "no_data";
  case errc::cancelled:
    return "cancelled";
  case errc::partition_lost:
    return "partition_lost";
  case errc::io_failed:
    return "io_failed";
  case errc::bad_feed:
    return "bad_feed";
  case errc::shutting_down:
    return "shutting_down";
  case errc::conflict:
    return "conflict";
  case errc::key_reused:
    return "key_reused";
  case errc::overloaded:
    return "overloaded";
  case errc::too_large:
    return "too_large";
  case errc::disk_full:
    return "disk_full";
  case errc::storage_failing:
    return "storage_failing";
  case errc::fenced:
    return "fenced";
  case errc::damaged:
    return "damaged";
  case errc::interrupted:
    return "interrupted";
  case errc::internal:
    return "internal";
  }
  return "internal";
}

} // namespace storemon
