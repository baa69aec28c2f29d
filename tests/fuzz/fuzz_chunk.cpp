/// Chunks of snapshots: see payload.hpp.
#include "payload.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  storemon::fuzz::require_round_trip<storemon::journal::chunk_row>(data, size);
  return 0;
}
