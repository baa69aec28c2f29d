#pragma once

#include "storemon/model/error.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace storemon::node {

/// Hears commands on a socket in the data directory, which only its owner can reach: one line each, answered
/// by one line, `ok` or `error CODE TEXT`. One command at a time, on a thread of its own, which may block.
class control_server {
public:
  using handler = std::function<result<void>(const std::string& command)>;

  /// Fails with io_failed, and invalid_argument where the path is too long for a socket.
  static result<std::unique_ptr<control_server>> start(const std::filesystem::path& socket, handler handle);

  control_server(const control_server&) = delete;
  control_server& operator=(const control_server&) = delete;

  /// Waits for the command under way, then removes the socket.
  ~control_server();

private:
  control_server(std::filesystem::path path, int listener, int wake_read, int wake_write, handler handle);

  void run();
  void serve(int client);

  std::filesystem::path path_;
  int listener_;
  int wake_read_;
  int wake_write_;
  handler handle_;
  std::thread thread_;
};

/// Has a running server carry a command out; blocks until it has. Fails with not_found when no server listens
/// there, and as the server says.
result<void> command_server(const std::filesystem::path& socket, const std::string& command);

} // namespace storemon::node
