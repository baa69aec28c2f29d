#include "storemon/journal/backup_actor.hpp"

namespace storemon::journal {

using namespace protocol;

backup_finisher_actor::behavior_type backup_finisher(backup_finisher_actor::pointer self,
                                                     const copy_verifier& verify) {
  return {[self, verify](backup_atom, const std::string& path) -> caf::result<bool> {
    self->quit();
    if (const auto done = finish_backup(path, verify); !done)
      return to_caf(done.error());
    return true;
  }};
}

} // namespace storemon::journal
