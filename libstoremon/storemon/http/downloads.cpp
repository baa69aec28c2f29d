#include "storemon/http/api.hpp"
#include "storemon/http/negotiate.hpp"
#include "storemon/http/status.hpp"
#include "storemon/model/uuid.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace storemon::http {

using boost::asio::awaitable;

namespace {

constexpr size_t file_name_bytes_max = 100;

/// Whether a text may name a file of ours. Names are only ever compared, never opened; this keeps nonsense
/// off the coordinator.
bool is_file_name(std::string_view name) noexcept {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return name.size() <= file_name_bytes_max && name.starts_with("store_report_") && name.ends_with(".csv") &&
         std::all_of(name.begin(), name.end(), allowed);
}

/// A strong tag: the same only for the same bytes. Made of the content, since two servers may give one name
/// to different files.
std::string tag_of(const protocol::report_file& file, bool gzip) {
  return fmt::format("\"{:016x}-{:x}{}\"", file.hash, file.bytes.size(), gzip ? "-gzip" : "");
}

response no_file() {
  return problem(404, to_string(errc::not_found), "there is no finished report of that name");
}

} // namespace

awaitable<result<std::shared_ptr<const protocol::report_file>>>
file_of(const api_context& c, const protocol::report_status& report) {
  if (report.file || report.state != protocol::report_state::complete)
    co_return report.file;
  auto file =
      co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::file_atom_v, report.file_name);
  co_return file;
}

response file_answer(const request& asked, std::shared_ptr<const protocol::report_file> file) {
  const auto size = file->bytes.size();
  std::optional<byte_range> range;
  if (const auto wanted = asked.header("Range"); wanted && asked.method == "GET")
    range = parse_range(*wanted, size);
  // HTTP/1.0 has no chunked coding, and a range is one of the file's own bytes.
  bool gzip = !range && asked.minor > 0 && accepts_gzip(asked.header("Accept-Encoding").value_or(""));
  if (const auto if_range = asked.header("If-Range"); range && if_range && *if_range != tag_of(*file, false))
    range.reset();

  const auto tag = tag_of(*file, gzip);
  response answer{
      200, {{"ETag", tag}, {"Vary", "Accept-Encoding"}, {"Cache-Control", "private, no-cache"}}, {}};
  if (const auto known = asked.header("If-None-Match"); known && lists_tag(*known, tag)) {
    answer.status = 304;
    return answer;
  }
  if (range && range->length == 0) {
    answer = problem(416, "range_not_satisfiable", "the file has " + std::to_string(size) + " bytes");
    answer.fields.push_back({"Content-Range", "bytes */" + std::to_string(size)});
    return answer;
  }
  answer.fields.push_back({"Content-Type", "text/csv; charset=utf-8"});
  answer.fields.push_back({"Content-Disposition", "attachment; filename=\"" + file->name + "\""});
  answer.fields.push_back({"Accept-Ranges", "bytes"});
  if (gzip)
    answer.fields.push_back({"Content-Encoding", "gzip"});
  if (range) {
    answer.status = 206;
    answer.fields.push_back({"Content-Range", fmt::format("bytes {}-{}/{}", range->offset,
                                                          range->offset + range->length - 1, size)});
  }
  const auto part = range.value_or(byte_range{0, size});
  answer.body = file_body{std::move(file), part.offset, part.length, gzip};
  return answer;
}

awaitable<response> download(const api_context& c, const request& asked, std::string name) {
  constexpr std::string_view suffix = ".csv";
  if (!name.ends_with(suffix))
    co_return no_file();
  if (const auto id = parse_uuid(std::string_view(name).substr(0, name.size() - suffix.size()))) {
    const auto report =
        co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::poll_atom_v, *id);
    if (!report)
      co_return problem(report.error());
    const auto file = co_await file_of(c, *report);
    if (!file)
      co_return problem(file.error());
    co_return *file ? file_answer(asked, *file) : no_file();
  }
  if (!is_file_name(name))
    co_return no_file();
  const auto file =
      co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::file_atom_v, name);
  if (!file)
    co_return problem(file.error());
  co_return file_answer(asked, *file);
}

} // namespace storemon::http
