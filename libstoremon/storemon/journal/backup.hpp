#pragma once

#include "storemon/journal/backend.hpp"

#include <functional>
#include <memory>
#include <string>

namespace storemon::journal {

/// Says what is wrong with a copy of the journal, or nothing.
using copy_verifier = std::function<result<void>(const std::string& path)>;

/// A backup in two steps, so that the backend can go on between them: a copy of everything is made in a file
/// beside `path`, and that file gets the name once it is verified and durable. Where a step fails nothing is
/// left.

/// Begins the copy. A file left beside by an attempt that was cut short is replaced. Fails with
/// invalid_argument where `path` exists, io_failed, and as begin_copy does.
result<std::unique_ptr<backend::copying>> begin_backup(backend& from, const std::string& path);

/// Goes on from a copy that is whole; needs no backend. Fails with io_failed and as verification does.
result<void> finish_backup(const std::string& path, const copy_verifier& verify);

/// Both at one go.
result<void> back_up(backend& from, const std::string& path, const copy_verifier& verify);

} // namespace storemon::journal
