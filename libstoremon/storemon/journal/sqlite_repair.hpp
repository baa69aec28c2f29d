#pragma once

#include "storemon/journal/sqlite_backend.hpp"

#include <cstdint>
#include <string>

namespace storemon::journal {

/// Gives up a record that is missing, fails its CRC or cannot be read, so that its partition may be written
/// to again: what is left of it goes to table journal_quarantine, an empty one takes its place, and the
/// records after it are joined to that. All or nothing; what it held is lost, unless a snapshot has it. No
/// process may have the directory.
/// @returns why the record was no good
/// Fails with invalid_argument where the record is sound or no longer kept, damaged where what it would have
/// to be joined to is damaged too, busy, io_failed, disk_full.
result<std::string> accept_loss(const sqlite_options& options, uint32_t partition, uint64_t seq);

} // namespace storemon::journal
