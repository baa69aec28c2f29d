#pragma once

#include "storemon/model/error.hpp"

#include <span>
#include <string>

/// What is done to a data directory, or to a copy of one, besides serving it.
namespace storemon::node {

/// What is wrong with a file that a backup wrote; nothing when it is whole.
result<void> verify_copy(const std::string& path);

/// Runs `storemond backup|verify|restore|repair ...`, arguments without the program's name, the word first,
/// or with `--help` tells how. Prints what it found. Of `export` it says where it is. @returns the exit code:
/// 0, 1 when it failed or found damage, 2 when the arguments are wrong.
int run_maintenance(std::span<const std::string> arguments);

/// Whether the first argument is such a word.
bool is_maintenance(std::span<const std::string> arguments);

/// How each is run and what it does, indented lines.
std::string maintenance_usage();

} // namespace storemon::node
