#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storemon::test {

/// One answer as it came over the wire.
struct http_answer {
  int status = 0;
  std::string line; ///< the status line
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body; ///< without its chunked coding
  bool chunked = false;

  /// The value of a field, its name in any case; empty when there is none.
  std::string field(std::string_view name) const {
    for (const auto& [n, v] : fields)
      if (same(n, name))
        return v;
    return {};
  }

  bool has(std::string_view name) const {
    return std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return same(f.first, name); });
  }

  static bool same(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
  }
};

/// A client that does what it is told, raw bytes included. Every wait is bounded; what goes wrong is thrown.
class http_client {
public:
  using field_list = std::vector<std::pair<std::string, std::string>>;

  explicit http_client(uint16_t port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (socket_ < 0)
      fail("socket");
    if (receive_buffer > 0) // before connecting, so that the window is small from the start
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const int yes = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    timeval limit{wait_max.count(), 0};
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      ::close(socket_);
      fail("connect");
    }
  }

  ~http_client() {
    if (socket_ >= 0)
      ::close(socket_);
  }

  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        fail("send");
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  /// Sends as much as the server takes; for servers that may have stopped listening.
  void try_send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  /// Says that no more will be sent; answers can still be read.
  void half_close() { shutdown(socket_, SHUT_WR); }

  /// Ends the connection with a reset.
  void abort() {
    const linger at_once{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(socket_);
    socket_ = -1;
  }

  /// Reads the next answer to a request of that method.
  http_answer read(std::string_view method = "GET") {
    http_answer answer;
    auto end = received_.find("\r\n\r\n");
    while (end == std::string::npos) {
      if (!fill())
        throw std::runtime_error("the connection ended before an answer; received: " + received_);
      end = received_.find("\r\n\r\n");
    }
    parse_head(received_.substr(0, end + 2), answer);
    received_.erase(0, end + 4);
    if (method == "HEAD" || answer.status == 204 || answer.status == 304 || answer.status / 100 == 1)
      return answer;
    if (answer.chunked)
      read_chunks(answer);
    else if (answer.has("Content-Length"))
      answer.body = take(std::stoull(answer.field("Content-Length")));
    else
      throw std::runtime_error("an answer has neither Content-Length nor chunks");
    return answer;
  }

  /// Sends a request on the open connection and reads its answer.
  http_answer request(std::string_view method, std::string_view target, const field_list& fields = {},
                      std::string_view body = {}) {
    send(text_of(method, target, fields, body));
    return read(method);
  }

  http_answer get(std::string_view target, const field_list& fields = {}) {
    return request("GET", target, fields);
  }

  http_answer put(std::string_view target, std::string_view body) {
    return request("PUT", target, {{"Content-Type", "application/json"}}, body);
  }

  http_answer post(std::string_view target, std::string_view body = {}, const field_list& fields = {}) {
    return request("POST", target, fields, body);
  }

  /// All bytes until the end of the connection.
  std::string read_to_end() {
    while (fill()) {
    }
    return std::exchange(received_, {});
  }

  /// Waits for the end of the connection; what comes before it is kept.
  /// @returns whether nothing came.
  bool ends_without_a_word() {
    const auto before = received_.size();
    while (fill()) {
    }
    return received_.size() == before;
  }

  static std::string text_of(std::string_view method, std::string_view target, const field_list& fields = {},
                             std::string_view body = {}) {
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
    for (const auto& [name, value] : fields)
      text.append(name).append(": ").append(value).append("\r\n");
    if (!body.empty() || method == "POST")
      text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    return text.append("\r\n").append(body);
  }

private:
  static constexpr std::chrono::seconds wait_max{30};

  [[noreturn]] static void fail(const char* what) {
    throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
  }

  /// Receives some bytes; false at the end of the connection, be it by a reset.
  bool fill() {
    pollfd waited{socket_, POLLIN, 0};
    const int ready = poll(&waited, 1, static_cast<int>(std::chrono::milliseconds(wait_max).count()));
    if (ready < 0)
      fail("poll");
    if (ready == 0)
      throw std::runtime_error("no byte came in time");
    std::array<char, 65536> chunk;
    const auto count = recv(socket_, chunk.data(), chunk.size(), 0);
    if (count < 0 && errno != ECONNRESET)
      fail("recv");
    if (count <= 0)
      return false;
    received_.append(chunk.data(), static_cast<size_t>(count));
    return true;
  }

  std::string take(size_t count) {
    while (received_.size() < count)
      if (!fill())
        throw std::runtime_error("the connection ended within a body");
    auto bytes = received_.substr(0, count);
    received_.erase(0, count);
    return bytes;
  }

  std::string take_line() {
    auto end = received_.find("\r\n");
    while (end == std::string::npos) {
      if (!fill())
        throw std::runtime_error("the connection ended within a line");
      end = received_.find("\r\n");
    }
    auto line = take(end);
    take(2);
    return line;
  }

  void read_chunks(http_answer& answer) {
    for (;;) {
      const auto size = std::stoull(take_line(), nullptr, 16);
      answer.body += take(size);
      if (!take_line().empty())
        throw std::runtime_error("a chunk is longer than it says");
      if (size == 0)
        return;
    }
  }

  static void parse_head(std::string_view head, http_answer& answer) {
    const auto next_line = [&head] {
      const auto line = head.substr(0, head.find("\r\n"));
      head.remove_prefix(line.size() + 2);
      return line;
    };
    answer.line = next_line();
    if (!answer.line.starts_with("HTTP/1.1 ") || answer.line.size() < 13)
      throw std::runtime_error("not a status line: " + answer.line);
    answer.status = std::stoi(answer.line.substr(9, 3));
    while (!head.empty()) {
      const auto line = next_line();
      const auto colon = line.find(": ");
      if (colon == std::string_view::npos)
        throw std::runtime_error("not a field: " + std::string(line));
      answer.fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    answer.chunked = answer.field("Transfer-Encoding") == "chunked";
  }

  int socket_;
  std::string received_; ///< bytes not yet taken by an answer
};

} // namespace storemon::test
