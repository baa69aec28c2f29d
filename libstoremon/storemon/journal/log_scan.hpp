#pragma once

#include "storemon/model/error.hpp"

#include <cstdint>
#include <string>

namespace storemon::journal {

/// What SQLite would make of a write-ahead log, and what it would pass over in silence: at the first frame
/// that does not fit, it takes the log to end (https://www.sqlite.org/fileformat2.html, section 4).
struct log_scan {
  bool present = false;
  uint64_t commits = 0;      ///< whole ones before the first frame that does not fit
  uint64_t bytes_sound = 0;  ///< the log up to the end of the last of those
  bool cut = false;          ///< whole frames of this log stand behind that, the first of which does not fit
  uint64_t commits_cut = 0;  ///< so many of them end a commit
  bool synced_after = false; ///< frames follow the first commit cut off, so it was made durable and answered
};

/// Reads the log of a database; nothing is written. Fails with io_failed.
result<log_scan> scan_log(const std::string& database);

/// The start of this machine, which a power cut ends; empty where the system does not tell.
std::string boot_id();

/// Whether opening the database would lose commits that were answered.
/// @param written_on  the start of the machine on which a process opened it and did not close it; empty: it
/// was
///                    closed, or that is not known
/// A process that is killed leaves whole frames that fit, and at most a part of one at the end. Only a power
/// cut tears frames, and only those of the last commit, for each is synced before the next begins.
/// @returns errc::damaged with how much would be lost and how to give it up; io_failed
result<void> check_log(const std::string& database, const std::string& written_on);

/// Cuts the log of a database where SQLite would end it; what was there is kept beside it, as `-wal.lost`.
/// @returns a sentence about what was given up. Fails with invalid_argument where nothing is cut off,
/// io_failed.
result<std::string> give_up_log(const std::string& database);

} // namespace storemon::journal
