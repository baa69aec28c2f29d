#pragma once

#include "storemon/synth/fleet.hpp"

#include <filesystem>

namespace storemon::synth {

/// Writes store_status.csv, menu_hours.csv and timezones.csv into the directory, byte for byte in the form of
/// the real feeds. Makes the directory; replaces files that are there.
/// @returns errc::io_failed, with the file's name, when the operating system refuses.
result<void> write_feeds(const fleet& from, const std::filesystem::path& directory);

/// Writes the truth as `store_id,from_utc,to_utc`, by store, then ascending. Errors as above.
result<void> write_truth(const fleet& from, const std::filesystem::path& file);

} // namespace storemon::synth
