#include "storemon/journal/backend.hpp"

namespace storemon::journal {

result<void> copy_all(backend::copying& copy) {
  for (;;) {
    const auto whole = copy.go_on(std::numeric_limits<size_t>::max());
    if (!whole)
      return whole.error();
    if (*whole)
      return {};
  }
}

} // namespace storemon::journal
