#pragma once

#include "storemon/journal/backend.hpp"

#include <functional>
#include <string>

namespace storemon::journal {

/// Says what is wrong with a copy of the journal, or nothing.
using copy_verifier = std::function<result<void>(const std::string& path)>;

/// Copies everything to `path`: to a file beside it first, which gets the name only once it is verified and
/// durable. A file left beside by an attempt that was cut short is replaced. Fails with invalid_argument
/// where `path` exists, io_failed, and as copy and verification do; then nothing is left.
result<void> back_up(backend& from, const std::string& path, const copy_verifier& verify);

} // namespace storemon::journal
