#include "storemon/node/control.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace storemon::node {

namespace {

/// A command is a word and a path: a longer line is no command of ours.
constexpr size_t line_bytes_max = 8192;

/// A client that connects and says nothing must not keep others waiting for long.
constexpr int line_timeout_ms = 5000;

error failed(const std::filesystem::path& socket, const char* what) {
  return {errc::io_failed, socket.string() + ": cannot " + what + ": " + std::strerror(errno)};
}

/// A file descriptor that is closed when its owner ends.
class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}

  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  int get() const noexcept { return fd_; }

  int release() noexcept { return std::exchange(fd_, -1); }

private:
  int fd_;
};

result<sockaddr_un> address_of(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto text = socket.string();
  if (text.size() >= sizeof(address.sun_path))
    return error{errc::invalid_argument, "data.dir: " + socket.string() + " is longer than the " +
                                             std::to_string(sizeof(address.sun_path) - 1) +
                                             " bytes a socket's path may have"};
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

/// Reads up to a line feed; nothing when the other side ends, or keeps silent for `timeout_ms` (-1: for
/// ever).
std::optional<std::string> read_line(int fd, int timeout_ms) {
  std::string line;
  while (line.size() < line_bytes_max) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, timeout_ms) <= 0)
      return std::nullopt;
    char c = 0;
    if (::read(fd, &c, 1) != 1)
      return std::nullopt;
    if (c == '\n')
      return line;
    line += c;
  }
  return std::nullopt;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    text.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string line_of(const result<void>& done) {
  if (done)
    return "ok\n";
  auto text = "error " + std::to_string(static_cast<int>(done.error().code)) + " " + done.error().detail;
  for (auto& c : text)
    if (c == '\n')
      c = ' ';
  return text + "\n";
}

} // namespace

result<std::unique_ptr<control_server>> control_server::start(const std::filesystem::path& socket,
                                                              handler handle) {
  const auto address = address_of(socket);
  if (!address)
    return address.error();
  descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (listener.get() < 0)
    return failed(socket, "make a socket");
  ::unlink(socket.c_str()); // of a server that died; the directory is ours
  const auto mask = ::umask(0077);
  const int bound = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address));
  ::umask(mask);
  constexpr int waiting_max = 4;
  if (bound != 0 || ::listen(listener.get(), waiting_max) != 0)
    return failed(socket, "listen");
  std::array<int, 2> wake{};
  if (::pipe2(wake.data(), O_CLOEXEC) != 0)
    return failed(socket, "make a pipe");
  return std::unique_ptr<control_server>(
      new control_server(socket, listener.release(), wake[0], wake[1], std::move(handle)));
}

control_server::control_server(std::filesystem::path path, int listener, int wake_read, int wake_write,
                               handler handle)
    : path_(std::move(path)), listener_(listener), wake_read_(wake_read), wake_write_(wake_write),
      handle_(std::move(handle)), thread_([this] { run(); }) {}

control_server::~control_server() {
  ::close(wake_write_); // the reading end then tells of its end
  thread_.join();
  ::close(wake_read_);
  ::close(listener_);
  ::unlink(path_.c_str());
}

void control_server::run() {
  while (true) {
    std::array<pollfd, 2> ready{pollfd{listener_, POLLIN, 0}, pollfd{wake_read_, POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR)
      return;
    if (ready[1].revents != 0)
      return;
    if ((ready[0].revents & POLLIN) == 0)
      continue;
    const descriptor client(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
    if (client.get() >= 0)
      serve(client.get());
  }
}

void control_server::serve(int client) {
  const auto command = read_line(client, line_timeout_ms);
  // A client that is gone by then has no use for the answer.
  if (command)
    static_cast<void>(write_all(client, line_of(handle_(*command))));
}

result<void> command_server(const std::filesystem::path& socket, const std::string& command) {
  const auto address = address_of(socket);
  if (!address)
    return address.error();
  const descriptor server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (server.get() < 0)
    return failed(socket, "make a socket");
  if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0)
    return error{errc::not_found, "no server is running on " + socket.parent_path().string() + " (" +
                                      std::strerror(errno) + ")"};
  if (!write_all(server.get(), command + "\n"))
    return failed(socket, "send a command");
  const auto answer = read_line(server.get(), -1);
  if (!answer)
    return error{errc::io_failed, "the server ended before it answered"};
  if (*answer == "ok")
    return {};
  constexpr std::string_view prefix = "error ";
  int code = 0;
  const auto* begin = answer->data() + std::min(prefix.size(), answer->size());
  const auto* end = answer->data() + answer->size();
  const auto [rest, bad] = std::from_chars(begin, end, code);
  if (!answer->starts_with(prefix) || bad != std::errc() || rest == end)
    return error{errc::internal, "the server answered '" + *answer + "'"};
  return error{static_cast<errc>(code), std::string(rest + 1, end)};
}

} // namespace storemon::node
