#pragma once

#include "storemon/node/config.hpp"

namespace storemon::node {

/// Runs storemond to its end: starts what the configuration asks for, prints the one line
/// `storemon ready http://ADDRESS:PORT` to standard output once data is loaded, serves until SIGTERM or
/// SIGINT, finishes what runs, and stops. To be called once, from the main thread, before any other thread
/// exists.
/// @returns the exit code: 0 after a signal, 1 when the server could not start or go on; the log says why.
int run_daemon(const configuration& settings);

} // namespace storemon::node
