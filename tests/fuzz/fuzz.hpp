#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

/// What a fuzzer defines: does something with any bytes, and aborts where that does not go as it must.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace storemon::fuzz {

inline void require(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace storemon::fuzz
