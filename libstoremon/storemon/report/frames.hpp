#pragma once

#include "storemon/model/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace storemon::report {

/// A piece of a text as one zstd frame. Frames one after the other are the pieces one after the other, so
/// that several threads may compress a piece each. Any thread.
std::string compress(std::string_view piece);

/// The text of frames made by compress, `bytes` long; damaged where they are anything else. Takes no more
/// memory than that, and none before the frames claim that length too.
result<std::string> expand(std::string_view frames, uint64_t bytes);

} // namespace storemon::report
