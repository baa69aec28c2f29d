#pragma once

#include "storemon/http/message.hpp"
#include "storemon/http/options.hpp"

#include <functional>
#include <memory>
#include <string>

namespace storemon::http {

/// What body the route of a request takes, whose head is whole; asked before any of the body is read.
using body_rule_finder = std::function<body_rule(const request&)>;

/// Reads one request from bytes as they come; knows no socket. The head is judged more strictly than Beast
/// does, whose parser it rests on: what two servers might read differently is refused (RFC 9112
/// section 11.2).
class request_reader {
public:
  enum class phase {
    head,    ///< more bytes are needed to end the fields
    body,    ///< more bytes are needed to end the body
    done,    ///< all of it is there
    refused, ///< answer with refusal(), then close: where the next request begins is not known
  };

  /// @param rules  null: every body is as options::body_bytes_max says, and not streamed.
  explicit request_reader(const options& limits, body_rule_finder rules = {});
  ~request_reader();

  /// Takes from the front of `bytes` what belongs to this request, and erases it; what follows a whole
  /// request stays. To be called again with the same string when more bytes are there.
  phase read(std::string& bytes);

  /// Whether the client waits for `100 Continue` before it sends the body.
  bool expects_continue() const noexcept { return expects_continue_; }

  /// Whether the route reads the body while it comes, once the head is whole. take() is then due at once, and
  /// take_slice() after each read().
  bool streamed() const noexcept { return rule_.streamed; }

  /// The request, with its body unless that is streamed; once, after phase::done or when streamed.
  request take() { return std::move(request_); }

  /// Puts the bytes of the body that came since the last call in place of `slice`.
  void take_slice(std::string& slice);

  /// Why there is no request; once, after phase::refused.
  response refusal() { return std::move(refusal_); }

  /// As much of the request as was understood when it was refused, to shape the answer after.
  const request& partial() const noexcept { return request_; }

private:
  struct beast_parser;

  phase refuse(int status, const char* code, const std::string& detail);
  phase read_head(std::string& bytes);
  phase read_body(std::string& bytes);
  phase check_fields();
  phase check_length();
  phase refuse_length();

  const options& limits_;
  body_rule_finder rules_;
  body_rule rule_;
  std::unique_ptr<beast_parser> parser_; ///< there once the head is whole
  size_t checked_ = 0;                   ///< bytes of the head known to be harmless
  bool expects_continue_ = false;
  request request_;
  response refusal_;
};

} // namespace storemon::http
