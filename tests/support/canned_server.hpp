#pragma once

#include "support/process.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <memory>
#include <mutex>
#include <thread>

namespace storemon::test {

/// A server that reads a request, sends the next of its answers whatever was asked, and closes the
/// connection. An empty answer stands for silence: the connection is left open. After the last answer it is
/// silent.
class canned_server {
public:
  explicit canned_server(std::vector<std::string> answers)
      : answers_(std::move(answers)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        over_(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(listener_, address, size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, address, &size) != 0)
      throw std::system_error(errno, std::generic_category(), "listen");
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  ~canned_server() {
    const uint64_t one = 1;
    while (::write(over_, &one, sizeof one) < 0 && errno == EINTR) {
    }
    thread_.join();
  }

  canned_server(const canned_server&) = delete;
  canned_server& operator=(const canned_server&) = delete;

  std::string url() const { return "http://" + address(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  /// The heads of the requests so far.
  std::vector<std::string> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

private:
  /// Waits until the descriptor can be read; false when the server is to end.
  bool await(int what) const {
    std::array<pollfd, 2> waited{{{what, POLLIN, 0}, {over_, POLLIN, 0}}};
    while (::poll(waited.data(), waited.size(), -1) < 0 && errno == EINTR) {
    }
    return waited[1].revents == 0;
  }

  void serve() {
    while (await(listener_)) {
      auto client = std::make_unique<descriptor>(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
      if (!read_head(*client))
        continue;
      const auto answer = next_answer();
      if (answer.empty())
        silent_.push_back(std::move(client));
      else
        ::send(*client, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  bool read_head(int client) {
    std::string head;
    std::array<char, 4096> part;
    while (head.find("\r\n\r\n") == std::string::npos) {
      if (!await(client))
        return false;
      const auto count = ::recv(client, part.data(), part.size(), 0);
      if (count <= 0)
        return false;
      head.append(part.data(), static_cast<size_t>(count));
    }
    std::lock_guard lock(mutex_);
    requests_.push_back(std::move(head));
    return true;
  }

  std::string next_answer() const {
    std::lock_guard lock(mutex_);
    return requests_.size() <= answers_.size() ? answers_[requests_.size() - 1] : std::string();
  }

  const std::vector<std::string> answers_;
  descriptor listener_;
  descriptor over_; ///< readable when the thread has to end
  uint16_t port_ = 0;
  std::vector<std::unique_ptr<descriptor>> silent_; ///< of the thread
  mutable std::mutex mutex_;
  std::vector<std::string> requests_; ///< guarded by the mutex
  std::thread thread_;
};

/// An answer of that status line's rest, with the further fields given, each ending in CR LF.
inline std::string answer_text(const std::string& status, const std::string& body,
                               const std::string& fields = "Content-Type: application/json\r\n") {
  return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

} // namespace storemon::test
