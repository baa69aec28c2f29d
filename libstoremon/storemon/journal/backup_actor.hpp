#pragma once

#include "storemon/journal/backup.hpp"
#include "storemon/protocol/actors.hpp"

namespace storemon::journal {

/// Finishes one backup, see finish_backup(), and ends.
using backup_finisher_actor = caf::typed_actor<protocol::op<bool, protocol::backup_atom, std::string>>;

/// BACKUP FINISHER. Reads all of the copy: to be spawned detached.
backup_finisher_actor::behavior_type backup_finisher(backup_finisher_actor::pointer self,
                                                     const copy_verifier& verify);

} // namespace storemon::journal
