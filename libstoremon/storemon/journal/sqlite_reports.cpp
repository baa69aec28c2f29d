#include "storemon/journal/sqlite_reports.hpp"

#include "storemon/journal/bytes.hpp"
#include "storemon/journal/chain.hpp"
#include "storemon/journal/crc32c.hpp"
#include "storemon/journal/sqlite_schema.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace storemon::journal {

namespace {

namespace json = boost::json;

/// In the order of protocol::report_state; what the table says must not change with what clients see.
constexpr std::array<std::string_view, 4> state_words{"running", "complete", "failed", "cancelled"};

std::optional<protocol::report_state> parse_state(std::string_view word) {
  const auto it = std::find(state_words.begin(), state_words.end(), word);
  if (it == state_words.end())
    return std::nullopt;
  return static_cast<protocol::report_state>(it - state_words.begin());
}

std::optional<errc> parse_code(std::string_view word) {
  for (auto code = static_cast<uint8_t>(errc::ok); code <= static_cast<uint8_t>(errc::internal); ++code)
    if (word == to_string(static_cast<errc>(code)))
      return static_cast<errc>(code);
  return std::nullopt;
}

int64_t count_of(instant at) {
  return at.time_since_epoch().count();
}

/// What was asked for, and of the fleet weights what tells which they were.
std::string params_of(const report_request& request, const std::optional<weights_label>& weights) {
  json::array windows;
  for (const auto& w : request.windows)
    windows.push_back({{"name", w.name}, {"from", count_of(w.span.from)}, {"to", count_of(w.span.to)}});
  json::object params{{"estimator", request.estimator},
                      {"scope", to_string(request.scope)},
                      {"columns", to_string(request.columns)},
                      {"raw_ids", request.raw_ids},
                      {"windows", std::move(windows)}};
  if (request.as_of)
    params["as_of"] = count_of(*request.as_of);
  if (weights) {
    json::object label{{"version", weights->version}, {"stores", weights->stores}};
    if (weights->fitted_at)
      label["fitted_at"] = count_of(*weights->fitted_at);
    params["weights"] = std::move(label);
  }
  return json::serialize(params);
}

instant time(const json::value& v) {
  return instant(duration(v.as_int64()));
}

/// Throws what the accessors of json values throw where the params are not of that form. So does weights_of.
report_request request_of(const json::object& object) {
  const auto text = [&](const char* name) { return std::string(object.at(name).as_string()); };
  report_request request;
  request.estimator = text("estimator");
  const auto scope = parse_scope(text("scope"));
  const auto columns = parse_columns(text("columns"));
  if (!scope || !columns)
    throw std::invalid_argument("an unknown word");
  request.scope = *scope;
  request.columns = *columns;
  request.raw_ids = object.at("raw_ids").as_bool();
  if (const auto* as_of = object.if_contains("as_of"))
    request.as_of = time(*as_of);
  for (const auto& w : object.at("windows").as_array())
    request.windows.push_back({std::string(w.as_object().at("name").as_string()),
                               {time(w.as_object().at("from")), time(w.as_object().at("to"))}});
  return request;
}

std::optional<weights_label> weights_of(const json::object& params) {
  const auto* found = params.if_contains("weights");
  if (!found)
    return std::nullopt;
  const auto& object = found->as_object();
  weights_label label{object.at("version").to_number<uint64_t>(), {}, object.at("stores").as_int64()};
  if (const auto* fitted_at = object.if_contains("fitted_at"))
    label.fitted_at = time(*fitted_at);
  return label;
}

std::string gaps_of(const std::vector<uint32_t>& gaps) {
  return json::serialize(json::array(gaps.begin(), gaps.end()));
}

/// The columns of a report but its bytes, as they are stored.
struct report_row {
  std::string id, state, params, error_code, error_text, file_name, gaps;
  std::optional<instant> as_of, finished;
  instant created;
  int64_t stores_total = 0, stores_done = 0;
  uint64_t file_bytes = 0;

  uint32_t crc() const {
    std::string all;
    byte_writer out(all);
    for (const auto* text : {&id, &state, &params, &error_code, &error_text, &file_name, &gaps})
      out.text(*text);
    for (const auto& time : {as_of, finished}) {
      out.byte(time ? 1 : 0);
      out.number(count_of(time.value_or(instant())));
    }
    for (const auto number : {count_of(created), stores_total, stores_done, static_cast<int64_t>(file_bytes)})
      out.number(number);
    return crc32c(all);
  }
};

report_row row_of(const protocol::report_status& s) {
  report_row r;
  r.id = s.id;
  r.state = state_words[static_cast<size_t>(s.state)];
  r.params = params_of(s.request, s.weights);
  r.as_of = s.as_of;
  r.created = s.created;
  r.finished = s.finished;
  r.stores_total = s.stores_total;
  r.stores_done = s.stores_done;
  r.error_code = to_string(s.failure.code);
  r.error_text = s.failure.detail;
  r.file_name = s.file_name;
  r.file_bytes = s.file_bytes;
  r.gaps = gaps_of(s.gaps);
  return r;
}

/// The report of a row; one that cannot be read is a failed one.
protocol::report_status status_of(const report_row& r, bool sound) {
  protocol::report_status s;
  s.id = r.id;
  s.created = r.created;
  s.finished = r.finished;
  s.durable = true;
  const auto state = parse_state(r.state);
  const auto code = parse_code(r.error_code);
  try {
    if (sound && state && code) {
      const auto params = json::parse(r.params);
      s.request = request_of(params.as_object());
      s.weights = weights_of(params.as_object());
      s.gaps = json::value_to<std::vector<uint32_t>>(json::parse(r.gaps));
      s.state = *state;
      s.as_of = r.as_of;
      s.stores_total = r.stores_total;
      s.stores_done = r.stores_done;
      s.failure = {*code, r.error_text};
      s.file_name = r.file_name;
      s.file_bytes = r.file_bytes;
      return s;
    }
  } catch (const std::exception&) { // as any other text that is not what was written
  }
  s.state = protocol::report_state::failed;
  s.failure = {errc::damaged, "what is stored of the report fails its check"};
  return s;
}

} // namespace

int write_report(sqlite_handle& db, const protocol::stored_report& report) {
  const auto r = row_of(report.status);
  std::optional<blob> bytes;
  std::optional<uint32_t> bytes_crc;
  if (report.bytes) {
    bytes = blob{*report.bytes};
    bytes_crc = crc32c(*report.bytes, crc32c(r.id));
  }
  return db.run(
      "INSERT INTO report(id, state, params, as_of, created, finished, stores_total, stores_done, "
      "error_code, "
      "error_text, file_name, file_bytes, gaps, crc, bytes_crc, bytes) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) "
      "ON CONFLICT(id) DO UPDATE SET state = excluded.state, params = excluded.params, as_of = "
      "excluded.as_of, "
      "created = excluded.created, finished = excluded.finished, stores_total = excluded.stores_total, "
      "stores_done = excluded.stores_done, error_code = excluded.error_code, "
      "error_text = excluded.error_text, file_name = excluded.file_name, file_bytes = excluded.file_bytes, "
      "gaps = excluded.gaps, crc = excluded.crc, bytes_crc = coalesce(excluded.bytes_crc, bytes_crc), "
      "bytes = coalesce(excluded.bytes, bytes)",
      r.id, r.state, r.params, r.as_of, r.created, r.finished, r.stores_total, r.stores_done, r.error_code,
      r.error_text, r.file_name, r.file_bytes, r.gaps, r.crc(), bytes_crc, bytes);
}

result<std::vector<protocol::stored_report>> read_reports(sqlite_handle& db) {
  std::vector<protocol::stored_report> all;
  const int code =
      db.each("SELECT id, state, params, as_of, created, finished, stores_total, stores_done, error_code, "
              "error_text, "
              "file_name, file_bytes, gaps, crc FROM report ORDER BY created, id",
              [&](const sqlite_row& row) {
                report_row r;
                r.id = row.bytes(0);
                r.state = row.bytes(1);
                r.params = row.bytes(2);
                r.as_of = row.maybe_time(3);
                r.created = row.time(4);
                r.finished = row.maybe_time(5);
                r.stores_total = row.integer<int64_t>(6);
                r.stores_done = row.integer<int64_t>(7);
                r.error_code = row.bytes(8);
                r.error_text = row.bytes(9);
                r.file_name = row.bytes(10);
                r.file_bytes = row.integer<uint64_t>(11);
                r.gaps = row.bytes(12);
                all.push_back({status_of(r, crc_fits(row.integer<uint32_t>(13), r.crc())), nullptr});
                return true;
              });
  if (code != SQLITE_OK)
    return read_failure(db, code);
  return all;
}

result<std::string> read_report_bytes(sqlite_handle& db, const std::string& id) {
  std::optional<std::string> bytes;
  bool sound = true;
  const int code = db.each(
      "SELECT bytes, bytes_crc FROM report WHERE id = ?1 AND bytes IS NOT NULL",
      [&](const sqlite_row& row) {
        bytes = row.bytes(0);
        sound = crc_fits(row.integer<uint32_t>(1), crc32c(*bytes, crc32c(id)));
        return true;
      },
      id);
  if (code != SQLITE_OK)
    return read_failure(db, code);
  if (!bytes)
    return error{errc::not_found, "no bytes of report " + id + " are kept"};
  if (!sound)
    return error{errc::damaged, "the bytes of report " + id + " fail their CRC"};
  return std::move(*bytes);
}

} // namespace storemon::journal
