#include "storemon/http/api.hpp"
#include "storemon/http/fields.hpp"
#include "storemon/http/import_json.hpp"
#include "storemon/http/negotiate.hpp"
#include "storemon/http/parameters.hpp"
#include "storemon/http/status.hpp"
#include "storemon/http/upload.hpp"
#include "storemon/model/uuid.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

namespace storemon::http {

namespace json = boost::json;
namespace asio = boost::asio;
using asio::awaitable;
using protocol::import_order;
using protocol::import_status;

namespace {

bool is_csv(const request& asked) {
  const auto type = media_type(asked.header("Content-Type").value_or("text/csv"));
  return type == "text/csv" || type == "application/octet-stream";
}

/// What the request says besides its body.
result<import_order> read_order(const request& asked) {
  if (auto known = check_query(asked, {"feed", "valid_from"}); !known)
    return known.error();
  const auto feed = read_feed(asked);
  if (!feed)
    return feed.error();
  import_order order;
  order.feed = *feed;
  if (const auto text = query_value(asked, "valid_from")) {
    if (order.feed != feed_kind::hours)
      return invalid("'valid_from' is only for hours");
    const auto date = read_date("valid_from", *text);
    if (!date)
      return date.error();
    order.valid_from = *date;
  }
  return order;
}

/// As problem(), but an import under way is a state of the data, not a load that passes in a second.
response import_problem(const error& e) {
  return e.code == errc::busy ? problem(409, to_string(e.code), e.detail) : problem(e);
}

void add_location(response& answer, const std::string& id) {
  answer.fields.push_back({"Location", "/api/v1/imports/" + id});
}

/// Whether rows came, and none of them could be taken.
bool all_rejected(const protocol::import_result& import) {
  applied rows;
  uint64_t rejected = 0;
  for (const auto& feed : import.feeds) {
    rows += feed.rows;
    rejected += feed.rejected;
  }
  return rejected > 0 && rows == applied{};
}

/// How an import ended.
response ended(const import_status& import) {
  auto body = import_json(import);
  int status = 201;
  if (import.failure.code != errc::ok) {
    status = import.failure.code == errc::busy ? 409 : status_of(import.failure.code);
  } else if (import.result && !import.result->partitions_lost.empty()) {
    status = status_of(errc::partition_lost);
    body["error"] = to_string(errc::partition_lost);
    body["detail"] = "rows of partitions that were lost meanwhile are missing; import the file again";
  } else if (import.result && all_rejected(*import.result)) {
    status = status_of(errc::bad_feed);
    body["error"] = to_string(errc::bad_feed);
    body["detail"] = "no row could be taken";
  }
  auto answer = json_answer(status, body);
  add_location(answer, import.id);
  return answer;
}

using file_ptr = std::shared_ptr<spool_file>;

awaitable<result<file_ptr>> upload(const api_context& c, const request& asked, body_coding coding,
                                   std::string path) {
  share slot(c.load.uploads);
  if (!slot.take(1, c.limits.uploads_max))
    co_return error{errc::busy, "as many files are being received as may be at once"};
  auto file = co_await receive_file(c, asked, coding, std::move(path));
  co_return file;
}

/// Has a file imported that nobody needs afterwards.
awaitable<result<import_status>> run(const api_context& c, import_order order, file_ptr) {
  auto ended =
      co_await c.actors.ask(c.to.intake, c.limits.import_timeout, protocol::import_atom_v, std::move(order));
  co_return ended;
}

/// As run, for whoever does not wait: the outcome is written to `refused` where there is one but no import.
awaitable<void> run_behind(const api_context& c, import_order order, file_ptr file,
                           std::shared_ptr<error> refused) {
  const auto ended = co_await run(c, std::move(order), std::move(file));
  if (!ended)
    *refused = ended.error();
}

/// Starts an import and answers once the intake has it.
awaitable<response> start(const api_context& c, import_order order, file_ptr file) {
  const auto id = order.id;
  const auto refused = std::make_shared<error>(error{errc::ok, ""});
  const auto executor = co_await asio::this_coro::executor;
  asio::co_spawn(executor, run_behind(c, std::move(order), std::move(file), refused), asio::detached);
  // The order is sent when that coroutine gets its first turn; so this question reaches the intake after it.
  co_await asio::post(executor, asio::use_awaitable);
  const auto status = co_await c.actors.ask(c.to.intake, c.limits.ask_timeout, protocol::poll_atom_v, id);
  if (!status)
    co_return import_problem(refused->code == errc::ok ? status.error() : *refused);
  auto answer = json_answer(202, import_json(*status));
  add_location(answer, id);
  co_return answer;
}

} // namespace

awaitable<response> post_import(const api_context& c, const request& asked, std::string) {
  if (!is_csv(asked))
    co_return problem(415, "unsupported_media_type", "the Content-Type has to be text/csv");
  const auto coding = coding_of(asked);
  if (!coding)
    co_return unknown_coding();
  if (asked.header("Idempotency-Key"))
    co_return problem(invalid("an import takes no Idempotency-Key and needs none: the same file sent again "
                              "changes nothing more"));
  auto order = read_order(asked);
  if (!order)
    co_return problem(order.error());
  if (c.to.spool_directory.empty())
    co_return problem(503, to_string(errc::not_ready), "this node has no directory to receive files in");
  order->id = random_uuid();
  order->path = c.to.spool_directory + "/import-" + order->id + ".csv";
  auto file = co_await upload(c, asked, *coding, order->path);
  if (!file)
    co_return problem(file.error());
  if (prefers_async(asked.header("Prefer").value_or(""))) {
    auto started = co_await start(c, std::move(*order), std::move(*file));
    co_return started;
  }
  const auto import = co_await run(c, std::move(*order), std::move(*file));
  co_return import ? ended(*import) : import_problem(import.error());
}

awaitable<response> get_import(const api_context& c, const request& asked, std::string id) {
  if (auto known = check_query(asked, {}); !known)
    co_return problem(known.error());
  const auto uuid = parse_uuid(id);
  if (!uuid)
    co_return problem(invalid("the id of an import is a UUID, not " + in_quotes(id)));
  const auto import = co_await c.actors.ask(c.to.intake, c.limits.ask_timeout, protocol::poll_atom_v, *uuid);
  co_return import ? json_answer(200, import_json(*import)) : problem(import.error());
}

awaitable<response> list_imports(const api_context& c, const request& asked, std::string) {
  if (auto known = check_query(asked, {}); !known)
    co_return problem(known.error());
  const auto imports = co_await c.actors.ask(c.to.intake, c.limits.ask_timeout, protocol::list_atom_v);
  if (!imports)
    co_return problem(imports.error());
  json::array list;
  for (const auto& import : *imports)
    list.push_back(import_json(import));
  co_return json_answer(200, json::object{{"imports", std::move(list)}});
}

} // namespace storemon::http
