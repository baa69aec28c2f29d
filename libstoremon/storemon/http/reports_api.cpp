#include "storemon/http/api.hpp"
#include "storemon/http/fields.hpp"
#include "storemon/http/negotiate.hpp"
#include "storemon/http/parameters.hpp"
#include "storemon/http/report_json.hpp"
#include "storemon/http/status.hpp"
#include "storemon/model/uuid.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace storemon::http {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

constexpr size_t page_size = 100;
constexpr size_t page_size_max = 1000;

using file_ptr = std::shared_ptr<const protocol::report_file>;

/// The file where there is one, else the JSON that says how the report is.
response report_answer(const request& asked, const protocol::report_status& report, const file_ptr& file) {
  auto answer = file ? file_answer(asked, file) : json_answer(200, report_json(report));
  answer.fields.push_back({"X-Report-Status", std::string(to_string(report.state))});
  answer.fields.push_back({"Vary", "Accept"});
  return answer;
}

/// Which reports are wanted.
struct page_request {
  size_t limit = page_size;
  std::optional<std::string> after; ///< the report before the first wanted
};

result<page_request> read_page(const request& asked) {
  if (auto known = check_query(asked, {"limit", "after"}); !known)
    return known.error();
  page_request page;
  if (const auto text = query_value(asked, "limit")) {
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), page.limit);
    if (failure != std::errc() || end != text->data() + text->size() || page.limit < 1 ||
        page.limit > page_size_max)
      return invalid("'limit' has to be a number from 1 to " + std::to_string(page_size_max) + ", not " +
                     in_quotes(*text));
  }
  if (const auto text = query_value(asked, "after")) {
    page.after = parse_uuid(*text);
    if (!page.after)
      return invalid("'after' has to be the id of a report, not " + in_quotes(*text));
  }
  return page;
}

awaitable<result<std::string>> trigger(const api_context& c, const request& asked) {
  auto wanted = read_report_request(asked);
  if (!wanted)
    co_return wanted.error();
  auto id = co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::trigger_atom_v,
                                  std::move(*wanted));
  co_return id;
}

} // namespace

awaitable<response> trigger_report(const api_context& c, const request& asked, std::string) {
  const auto id = co_await trigger(c, asked);
  co_return id ? json_answer(200, json::object{{"report_id", *id}}) : problem(id.error());
}

awaitable<response> create_report(const api_context& c, const request& asked, std::string) {
  const auto id = co_await trigger(c, asked);
  if (!id)
    co_return problem(id.error());
  auto answer = json_answer(202, json::object{{"report_id", *id}});
  answer.fields.push_back({"Location", "/api/v1/reports/" + *id});
  co_return answer;
}

awaitable<response> get_report(const api_context& c, const request& asked, std::string id) {
  const auto question = read_report_question(asked, id);
  if (!question)
    co_return problem(question.error());
  const auto report =
      co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::poll_atom_v, question->id);
  if (!report)
    co_return problem(report.error());
  const bool as_csv =
      question->format ? *question->format == "csv" : prefers_csv(asked.header("Accept").value_or("*/*"));
  if (!as_csv)
    co_return report_answer(asked, *report, nullptr);
  const auto file = co_await file_of(c, *report);
  co_return file ? report_answer(asked, *report, *file) : problem(file.error());
}

awaitable<response> cancel_report(const api_context& c, const request& asked, std::string id) {
  const auto question = read_report_question(asked, id);
  if (!question)
    co_return problem(question.error());
  const auto report =
      co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::cancel_atom_v, question->id);
  if (!report)
    co_return problem(report.error());
  co_return report_answer(asked, *report, nullptr);
}

awaitable<response> list_reports(const api_context& c, const request&, std::string) {
  const auto reports = co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::list_atom_v);
  if (!reports)
    co_return problem(reports.error());
  json::array list;
  for (const auto& report : *reports)
    list.push_back(report_json(report));
  co_return json_answer(200, list);
}

awaitable<response> get_weights(const api_context& c, const request&, std::string) {
  const auto weights = co_await c.actors.ask(c.to.weights, c.limits.ask_timeout, protocol::get_atom_v);
  if (!weights)
    co_return problem(weights.error());
  auto body = weights_json((*weights)->label);
  const bool fitted = (*weights)->label.version > 0;
  body["as_of"] = instant_json(fitted ? std::optional((*weights)->as_of) : std::nullopt);
  body["observations"] = (*weights)->observations;
  body["weights"] = json::array((*weights)->by_class.begin(), (*weights)->by_class.end());
  co_return json_answer(200, body);
}

awaitable<response> page_reports(const api_context& c, const request& asked, std::string) {
  const auto page = read_page(asked);
  if (!page)
    co_return problem(page.error());
  const auto reports = co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::list_atom_v);
  if (!reports)
    co_return problem(reports.error());
  auto next = reports->begin();
  if (page->after) {
    next = std::find_if(next, reports->end(), [&](const auto& report) { return report.id == *page->after; });
    if (next == reports->end())
      co_return problem(404, to_string(errc::not_found), "report " + *page->after + " is not kept any more");
    ++next;
  }
  json::array list;
  for (; next != reports->end() && list.size() < page->limit; ++next)
    list.push_back(report_json(*next));
  json::object body{{"reports", std::move(list)}};
  if (next != reports->end())
    body["next"] = "/api/v1/reports?limit=" + std::to_string(page->limit) + "&after=" + std::prev(next)->id;
  co_return json_answer(200, body);
}

} // namespace storemon::http
