#include "storemon/http/api.hpp"
#include "storemon/http/negotiate.hpp"
#include "storemon/http/parameters.hpp"
#include "storemon/http/report_json.hpp"
#include "storemon/http/status.hpp"

#include <boost/json.hpp>

namespace storemon::http {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

/// What a client that wants the CSV gets: the file when there is one, else the JSON that says why not.
response report_answer(const request& asked, const protocol::report_status& report, bool as_csv) {
  auto answer =
      as_csv && report.file ? file_answer(asked, report.file) : json_answer(200, report_json(report));
  answer.fields.push_back({"X-Report-Status", std::string(to_string(report.state))});
  answer.fields.push_back({"Vary", "Accept"});
  return answer;
}

} // namespace

awaitable<response> trigger_report(const api_context& c, const request& asked, std::string) {
  auto wanted = read_report_request(asked);
  if (!wanted)
    co_return problem(wanted.error());
  const auto id = co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::trigger_atom_v,
                                        std::move(*wanted));
  if (!id)
    co_return problem(id.error());
  co_return json_answer(200, json::object{{"report_id", *id}});
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
  co_return report_answer(asked, *report, as_csv);
}

awaitable<response> cancel_report(const api_context& c, const request& asked, std::string id) {
  const auto question = read_report_question(asked, id);
  if (!question)
    co_return problem(question.error());
  const auto report =
      co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::cancel_atom_v, question->id);
  if (!report)
    co_return problem(report.error());
  co_return report_answer(asked, *report, false);
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

} // namespace storemon::http
