#include "storemon/http/api.hpp"
#include "storemon/http/fields.hpp"
#include "storemon/http/negotiate.hpp"
#include "storemon/http/parameters.hpp"
#include "storemon/http/status.hpp"

#include <utility>

namespace storemon::http {

using boost::asio::awaitable;

namespace {

using piece_ptr = std::shared_ptr<const std::string>;

/// An export under way at the exporter, which is told when nobody wants the rest.
class export_run {
public:
  export_run(const api_context& c, uint64_t number)
      : actors_(c.actors), exporter_(c.to.exporter), limit_(c.limits.ask_timeout), number_(number) {}

  ~export_run() {
    if (!over_)
      gateway::tell(exporter_, protocol::drop_atom_v, number_);
  }

  export_run(const export_run&) = delete;
  export_run& operator=(const export_run&) = delete;

  awaitable<result<piece_ptr>> pull() {
    auto piece = co_await actors_.ask(exporter_, limit_, protocol::next_atom_v, number_);
    over_ = piece && (!*piece || (*piece)->empty());
    co_return piece;
  }

  /// Hands out `first`, then what is pulled.
  awaitable<result<piece_ptr>> next() {
    if (auto piece = std::exchange(first, nullptr))
      co_return piece;
    auto piece = co_await pull();
    co_return piece;
  }

  piece_ptr first; ///< pulled already

private:
  gateway& actors_;
  protocol::exporter_actor exporter_;
  std::chrono::milliseconds limit_;
  uint64_t number_;
  bool over_ = false;
};

} // namespace

awaitable<response> export_feed(const api_context& c, const request& asked, std::string) {
  if (auto known = check_query(asked, {"feed"}); !known)
    co_return problem(known.error());
  const auto feed = read_feed(asked);
  if (!feed)
    co_return problem(feed.error());
  pulled_body body;
  body.gzip = takes_chunks(asked) && accepts_gzip(asked.header("Accept-Encoding").value_or(""));
  if (asked.method != "HEAD") {
    const auto number =
        co_await c.actors.ask(c.to.exporter, c.limits.ask_timeout, protocol::export_atom_v, *feed);
    if (!number)
      co_return problem(number.error());
    const auto run = std::make_shared<export_run>(c, *number);
    // Before the head is sent a failure can still be told in words.
    auto first = co_await run->pull();
    if (!first)
      co_return problem(first.error());
    run->first = std::move(*first);
    body.next = [run] { return run->next(); };
  }
  response answer{
      200,
      {{"Content-Type", "text/csv; charset=utf-8"},
       {"Content-Disposition", "attachment; filename=\"" + std::string(file_names_of(*feed).front()) + "\""},
       {"Cache-Control", "no-store"},
       {"Vary", "Accept-Encoding"}},
      {}};
  if (body.gzip)
    answer.fields.push_back({"Content-Encoding", "gzip"});
  answer.body = std::move(body);
  co_return answer;
}

} // namespace storemon::http
