#include "http_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <thread>

namespace storemon {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

namespace {

/// Bytes of an answer's head: bounds what a stranger makes us hold.
constexpr uint32_t head_bytes_max = 64 * 1024;

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// Whether a text is made of letters, digits and these marks only.
bool is_plain(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && beast::iequals(text.substr(0, prefix.size()), prefix);
}

void append_encoded(std::string& query, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_plain({&c, 1}, "-._~"))
      query += c;
    else
      query += {'%', digits[byte >> 4], digits[byte & 15]};
  }
}

std::string name_of(const server_address& at) {
  const bool v6 = at.host.find(':') != std::string::npos;
  return (v6 ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
}

} // namespace

result<server_address> parse_server_url(std::string_view url) {
  const auto refuse = [url](const char* why) {
    return error{errc::invalid_argument, "'" + std::string(url) + "': " + why};
  };
  constexpr auto expected = "a URL such as http://127.0.0.1:8080 is expected";
  constexpr std::string_view scheme = "http://";
  if (begins_with(url, "https://"))
    return refuse("https is not supported yet; use http");
  if (!begins_with(url, scheme))
    return refuse(expected);
  auto rest = url.substr(scheme.size());
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  const bool bracketed = rest.starts_with('[');
  const auto host_end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (host_end == std::string_view::npos)
    return refuse(expected);
  const auto host = bracketed ? rest.substr(1, host_end - 1) : rest.substr(0, host_end);
  rest.remove_prefix(host_end + (bracketed ? 1 : 0));
  if (host.empty() || !is_plain(host, bracketed ? ":.%" : "-._"))
    return refuse(expected);
  server_address at{std::string(host)};
  if (rest.empty())
    return at;
  const auto port = parse_number<uint16_t>(rest.substr(1));
  if (rest[0] != ':' || !port || *port == 0)
    return refuse(expected);
  at.port = *port;
  return at;
}

std::string query_of(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    query += query.empty() ? '?' : '&';
    append_encoded(query, name);
    query += '=';
    append_encoded(query, value);
  }
  return query;
}

struct http_client::link {
  link(server_address server, const http_limits& l)
      : to(std::move(server)), limits(l), deadline(clock::now() + l.total_timeout) {}

  const server_address to;
  const http_limits limits;
  const clock::time_point deadline;
  boost::asio::io_context io{1};
  std::optional<beast::tcp_stream> stream; ///< nothing: not connected
  beast::flat_buffer received;             ///< bytes not yet taken by an answer

  /// Starts an operation on the stream and waits for its end, or for its limit.
  template <class Start>
  error_code run(std::chrono::milliseconds limit, Start start) {
    error_code outcome;
    stream->expires_at(std::min(clock::now() + limit, deadline));
    start([&outcome](error_code failure, auto&&...) { outcome = failure; });
    io.restart();
    io.run();
    return outcome;
  }

  error_code connect();
  error_code send(std::string_view method, const std::string& target);
  error_code receive(http_reply& reply, std::chrono::seconds& retry_after);
  result<http_reply> exchange(std::string_view method, const std::string& target,
                              std::chrono::seconds& retry_after);

  void disconnect() {
    stream.reset();
    received.clear();
  }
};

error_code http_client::link::connect() {
  disconnect();
  tcp::resolver resolver(io);
  error_code failure;
  const auto found = resolver.resolve(to.host, std::to_string(to.port), failure);
  if (failure)
    return failure;
  stream.emplace(io);
  failure = run(limits.connect_timeout, [&](auto done) { stream->async_connect(found, std::move(done)); });
  if (!failure)
    stream->socket().set_option(tcp::no_delay(true), failure);
  return failure;
}

error_code http_client::link::send(std::string_view method, const std::string& target) {
  http::request<http::empty_body> asked(http::string_to_verb(method), target, 11);
  asked.set(http::field::host, name_of(to));
  asked.set(http::field::user_agent, "storemon");
  asked.set(http::field::accept_encoding, "identity");
  asked.prepare_payload();
  return run(limits.silence_timeout, [&](auto done) { http::async_write(*stream, asked, std::move(done)); });
}

error_code http_client::link::receive(http_reply& reply, std::chrono::seconds& retry_after) {
  http::response_parser<http::buffer_body> parser;
  parser.header_limit(head_bytes_max);
  parser.body_limit(limits.body_bytes_max);
  auto failure = run(limits.silence_timeout,
                     [&](auto done) { http::async_read_header(*stream, received, parser, std::move(done)); });
  if (failure)
    return failure;
  auto& head = parser.get();
  reply = {static_cast<int>(head.result_int()),
           head[http::field::content_type],
           head[http::field::content_disposition],
           {}};
  if (const auto given = parse_number<uint32_t>(head[http::field::retry_after]))
    retry_after = std::min(std::chrono::seconds(*given), limits.retry_after_max);
  if (!head[http::field::content_encoding].empty())
    return make_error_code(http::error::bad_value); // unasked, and not to be taken for the text itself
  std::array<char, 65536> part;
  while (!parser.is_done()) {
    head.body().data = part.data();
    head.body().size = part.size();
    failure = run(limits.silence_timeout,
                  [&](auto done) { http::async_read_some(*stream, received, parser, std::move(done)); });
    if (failure && failure != http::error::need_buffer)
      return failure;
    reply.body.append(part.data(), part.size() - head.body().size);
  }
  if (!parser.keep_alive())
    disconnect();
  return {};
}

result<http_reply> http_client::link::exchange(std::string_view method, const std::string& target,
                                               std::chrono::seconds& retry_after) {
  const auto failed = [this](const char* what, const error_code& failure) {
    disconnect();
    const auto why = failure == beast::error::timeout ? "it took too long" : failure.message();
    return error{errc::io_failed, std::string(what) + " " + name_of(to) + ": " + why};
  };
  const bool kept = stream && method == "GET";
  if (!kept)
    if (const auto failure = connect())
      return failed("cannot connect to", failure);
  http_reply reply;
  auto failure = send(method, target);
  if (!failure)
    failure = receive(reply, retry_after);
  const bool closed = failure == http::error::end_of_stream ||
                      failure == boost::asio::error::connection_reset ||
                      failure == boost::asio::error::broken_pipe;
  if (kept && closed) {
    disconnect();
    return exchange(method, target, retry_after);
  }
  if (failure)
    return failed("no proper answer from", failure);
  return reply;
}

http_client::http_client(server_address to, const http_limits& limits)
    : link_(std::make_unique<link>(std::move(to), limits)) {}

http_client::~http_client() = default;

result<http_reply> http_client::request(std::string_view method, const std::string& target) {
  constexpr int unavailable = 503;
  for (int retries = 0;; ++retries) {
    std::chrono::seconds retry_after{1};
    auto reply = link_->exchange(method, target, retry_after);
    if (!reply || reply->status != unavailable || retries == link_->limits.retries_max || !pause(retry_after))
      return reply;
  }
}

bool http_client::pause(std::chrono::milliseconds time) const {
  const auto until = clock::now() + time;
  if (until >= link_->deadline)
    return false;
  std::this_thread::sleep_until(until);
  return true;
}

} // namespace storemon
