#include "report_options.hpp"

#include "storemon/estimate/estimator.hpp"

namespace storemon {

void add_report_options(CLI::App& command, report_options& given) {
  command.add_option("--as-of", given.as_of, "\"now\" of the report; the newest observation by default");
  command.add_option("--estimator", given.estimator, std::string(estimate::estimator_names()))
      ->capture_default_str();
  command.add_option("--scope", given.scope, "session, business or all")->capture_default_str();
  command.add_option("--columns", given.columns, "loop or full")->capture_default_str();
  command.add_option("--window", given.windows, "further windows, with --columns full")
      ->type_name("NAME=FROM..TO")
      ->allow_extra_args(false); // see name_each_value
  command.add_flag("--raw-ids", given.raw_ids, "ids as they are, also where a spreadsheet would run them");
}

bool is_window(const std::string& argument) {
  const auto equals = argument.find('=');
  return equals < argument.find('/') && argument[0] != '-' &&
         argument.find("..", equals) != std::string::npos;
}

result<report_request> read_request(const report_options& given) {
  report_request request;
  request.estimator = given.estimator;
  request.raw_ids = given.raw_ids;
  const auto scope = parse_scope(given.scope);
  const auto columns = parse_columns(given.columns);
  if (!scope)
    return error{errc::invalid_argument, "--scope=" + given.scope + ": session, business or all is expected"};
  if (!columns)
    return error{errc::invalid_argument, "--columns=" + given.columns + ": loop or full is expected"};
  request.scope = *scope;
  request.columns = *columns;
  if (!given.as_of.empty()) {
    request.as_of = parse_instant(given.as_of);
    if (!request.as_of)
      return error{errc::invalid_argument,
                   "--as-of=" + given.as_of + ": a timestamp such as 2023-01-25T18:00:00Z is expected"};
  }
  for (const auto& text : given.windows) {
    auto w = parse_window(text);
    if (!w)
      return w.error();
    request.windows.push_back(std::move(*w));
  }
  if (auto valid = estimate::validate(request); !valid)
    return valid.error();
  return request;
}

} // namespace storemon
