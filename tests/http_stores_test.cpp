#include "support/instants.hpp"
#include "support/intake_site.hpp"

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;
using test::check_problem;
using test::intake_site;
using test::json_of;
using test::text_of;

namespace {

template <class Change>
Change last_change(intake_site& s) {
  return s.s->use([](auto& now) {
    REQUIRE_FALSE(now.changes.empty());
    REQUIRE(std::holds_alternative<Change>(now.changes.back()));
    return std::get<Change>(now.changes.back());
  });
}

size_t changes(intake_site& s) {
  return s.s->use([](auto& now) { return now.changes.size(); });
}

} // namespace

TEST_CASE("hours of a store are replaced, from a date on or for ever") {
  intake_site s;
  auto client = s.client();
  const std::string none = R"({"hours":[]})";
  s.s->use([](auto& now) { now.changed = applied{}; });
  const auto always = client.request("PUT", "/api/v1/stores/s1/hours", {}, none);
  CHECK(always.body ==
        "{\"store_id\":\"s1\",\"durability\":\"local\",\"created\":true,\"valid_from\":null,\"rows\":0,"
        "\"duplicates\":0}\n");
  CHECK(last_change<hours_rows>(s).valid_from == always_valid);
  CHECK(last_change<hours_rows>(s).rows.empty());

  const std::string body =
      R"({"valid_from":"2023-02-01","hours":[{"day":0,"start":"09:30","end":"17:00:30"},{"day":6,"start":"22:00","end":"24:00"}]})";
  s.s->use([](auto& now) { now.changed = applied{2, 198, 0}; });
  const auto two = client.request("PUT", "/api/v1/stores/s1/hours", {}, body);
  CHECK(two.body == "{\"store_id\":\"s1\",\"durability\":\"local\",\"created\":true,\"valid_from\":\"2023-02-"
                    "01\",\"rows\":2,"
                    "\"duplicates\":198}\n");
  const auto change = last_change<hours_rows>(s);
  using namespace std::chrono;
  CHECK(change.valid_from == local_days(2023y / 2 / 1));
  REQUIRE(change.stores.size() == 1);
  CHECK(change.stores[0] == "s1");
  CHECK(change.store == std::vector<uint32_t>{0, 0});
  CHECK(change.rows == std::vector<hours_row>{{9h + 30min, 17h + 30s, 0}, {22h, 24h, 6}});
}

TEST_CASE("changes that are wrong say where, and nothing reaches the intake") {
  intake_site s;
  auto client = s.client();
  const auto put = [&](const std::string& what, const std::string& body) {
    return client.request("PUT", "/api/v1/stores/s1/" + what, {}, body);
  };
  const std::vector<std::pair<std::string, std::string>> bad_hours{
      {"", "'hours' has to be there"},
      {"[]", "has to be an object"},
      {"{", "bad JSON"},
      {R"({"hours":[],"hours":[]})", "'hours' is given twice"},
      {R"({"hours":[{"day":1,"start":"09:00","end":"10:00","d\u0061y":2}]})", "'day' is given twice"},
      {R"({"hours":{}})", "'hours' has to be there"},
      {R"({"hours":[],"x":1})", "'x' is not a field; known are valid_from, hours"},
      {R"({"hours":[],"valid_from":7})", "'valid_from' has to be a string"},
      {R"({"hours":[],"valid_from":"2023-02-30"})", "'valid_from' has to be a date"},
      {R"({"hours":[],"valid_from":"2023-02-01T00:00:00Z"})", "'valid_from' has to be a date"},
      {R"({"hours":[7]})", "element 0: 'hours' has to hold objects"},
      {R"({"hours":[{"day":7,"start":"09:00","end":"10:00"}]})", "element 0: 'day'"},
      {R"({"hours":[{"day":1.5,"start":"09:00","end":"10:00"}]})", "element 0: 'day'"},
      {R"({"hours":[{"day":1,"start":"24:00","end":"10:00"}]})", "'start' has to be a time of day"},
      {R"({"hours":[{"day":1,"start":"09:00","end":"10:00"},{"day":1,"start":"09:00"}]})",
       "element 1: 'end' is missing"},
      {R"({"hours":[{"day":1,"start":"09:00","end":"10:00","zone":"x"}]})", "'zone' is not a field"}};
  for (const auto& [body, part] : bad_hours) {
    INFO(body);
    check_problem(put("hours", body), 400, "invalid_argument", part);
  }
  check_problem(put("hours?valid_from=2023-01-01", "{}"), 400, "invalid_argument", "is not a parameter");
  check_problem(put("timezone", R"({"timezone":7})"), 400, "invalid_argument",
                "'timezone' has to be a string");
  check_problem(put("timezone", R"({"timezone":"America/Denver","timezone":"America/Denver"})"), 400,
                "invalid_argument", "'timezone' is given twice");
  check_problem(put("timezone", "{}"), 400, "invalid_argument", "'timezone' is missing");
  check_problem(put("timezone", R"({"timezone":"Mars/Olympus"})"), 422, "unknown_timezone", "'Mars/Olympus'");
  const std::vector<std::pair<std::string, std::string>> bad_closures{
      {R"({"from":"2023-01-25T00:00:00Z"})", "'to' is missing"},
      {R"({"from":"now","to":"2023-01-25T00:00:00Z"})", "'from' has to be a timestamp"},
      {R"({"from":"2023-01-25T00:00:00Z","to":"2023-01-25T00:00:00Z"})", "'from' has to be before 'to'"}};
  for (const auto& [body, part] : bad_closures)
    check_problem(client.post("/api/v1/stores/s1/closures", body), 400, "invalid_argument", part);
  check_problem(client.request("DELETE", "/api/v1/stores/s1/closures?from=2023-01-25T00:00:00Z"), 400,
                "invalid_argument", "'to' is missing");
  check_problem(client.get("/api/v1/stores/" + std::string(129, 's')), 400, "invalid_argument",
                "1 to 128 bytes");
  CHECK(client.get("/api/v1/stores/").status == 404);
  CHECK(client.get("/api/v1/stores/a/b").status == 404);
  CHECK(changes(s) == 0);
}

TEST_CASE("zones and closures are changed") {
  intake_site s;
  auto client = s.client();
  const std::string zone = R"({"timezone":"America/Denver"})";
  const auto zoned = client.request("PUT", "/api/v1/stores/s1/timezone", {}, zone);
  CHECK(zoned.body ==
        "{\"store_id\":\"s1\",\"durability\":\"local\",\"created\":true,\"timezone\":\"America/Denver\"}\n");
  const auto change = last_change<zone_rows>(s);
  CHECK(change.stores[0] == "s1");
  CHECK(change.zones[0] == "America/Denver");

  const auto span = test::span("2023-01-25T00:00:00Z", "2023-01-26T00:00:00Z");
  const auto closed = client.post("/api/v1/stores/s1/closures",
                                  R"({"from":"2023-01-25T00:00:00Z","to":"2023-01-26T00:00:00Z"})");
  CHECK(closed.status == 201);
  CHECK(last_change<closure_change>(s) == closure_change{"s1", span, false});
  store_card card;
  card.known = true;
  s.s->use([&](auto& now) { now.cards = {{"s1", card}}; });
  const auto opened = client.request(
      "DELETE", "/api/v1/stores/s1/closures?from=2023-01-25T00:00:00Z&to=2023-01-26T00:00:00Z");
  CHECK(opened.status == 200);
  CHECK(last_change<closure_change>(s) == closure_change{"s1", span, true});
  s.s->use([](auto& now) { now.changed = error{errc::disk_full, "no room"}; });
  check_problem(client.post("/api/v1/stores/s1/closures",
                            R"({"from":"2023-01-25T00:00:00Z","to":"2023-01-26T00:00:00Z"})"),
                507, "disk_full", "no room");
}

TEST_CASE("a store is told and deleted, whatever its id is made of") {
  intake_site s;
  auto client = s.client();
  store_card card;
  card.known = true;
  card.zone = "America/Denver";
  card.zone_known = true;
  card.hours = {{always_valid, {{9h, 17h + 30min, 2}}},
                {std::chrono::local_days(std::chrono::days(19389)), {}}};
  card.closures = {test::span("2023-01-25T00:00:00Z", "2023-01-26T00:00:00Z")};
  card.observations = 4;
  card.conflicts = 1;
  card.oldest = test::at("2023-01-20T00:00:00Z");
  card.newest = test::at("2023-01-25T00:00:00Z");
  card.newest_status = store_status::active;
  const std::vector<std::pair<std::string, std::string>> ids{
      {"s1", "s1"},      {"a%2Fb", "a/b"},     {"a%2fhours", "a/hours"},
      {"%252F", "%2F"},  {"100%25", "100%"},   {"a%20b%3F", "a b?"},
      {"a%0Ab", "a\nb"}, {"%0d%7F", "\r\x7f"}, {"%00", std::string(1, '\0')},
      {"%250A", "%0A"},  {"..", ".."},         {"%2E%2E%2fhours", "../hours"}};
  for (const auto& [in_path, id] : ids) {
    INFO(id);
    s.s->use([&](auto& now) { now.cards = {{id, card}}; });
    const auto told = json_of(client.get("/api/v1/stores/" + in_path));
    CHECK(text_of(told, "store_id") == id);
    CHECK(text_of(told, "newest_status") == "active");
    CHECK(
        text_of(told, "business_hours") ==
        R"([{"valid_from":null,"hours":[{"day":2,"start":"09:00:00","end":"17:30:00"}]},{"valid_from":"2023-02-01","hours":[]}])");
    const auto closures = json_of(client.get("/api/v1/stores/" + in_path + "/closures"));
    CHECK(text_of(closures, "closures") ==
          R"([{"from":"2023-01-25T00:00:00.000000Z","to":"2023-01-26T00:00:00.000000Z"}])");
    CHECK(client.request("DELETE", "/api/v1/stores/" + in_path).status == 200);
    CHECK(last_change<store_deletion>(s).store == id);
  }
  for (const std::string method : {"GET", "DELETE"})
    check_problem(client.request(method, "/api/v1/stores/other"), 404, "not_found", "nothing is known");
  check_problem(client.get("/api/v1/stores/other/closures"), 404, "not_found", "nothing is known");
  CHECK(client.request("PATCH", "/api/v1/stores/s1").field("Allow") == "GET, HEAD, DELETE, OPTIONS");
}

TEST_CASE(
    "a store is shown as it is: its status now, hours, figures with bounds, and habits beside the fleet's") {
  intake_site s;
  auto client = s.client();
  store_portrait shown;
  shown.as_of = test::at("2023-01-25T00:00:00Z");
  shown.card.known = true;
  shown.card.newest = test::at("2023-01-24T23:00:00Z");
  shown.in_force = {always_valid, {{9h, 17h, 2}}};
  shown.open_now = true;
  shown.active_now = 957'849;
  window_figures hour{{"last_hour", {}}, {}, {}, 500'000};
  hour.is = {.scheduled = 3'600'000'000,
             .uptime = 1'800'500'000,
             .downtime = 1'799'500'000,
             .imputed = 7,
             .observations = 3};
  hour.uptime = {1'000'000, 2'000'000'000};
  shown.figures = {hour};
  shown.habits = store_habits{1'500'000, 2'700'000'000, 950'000};
  shown.fleet = {250'000, 60'000'000, 1'000'000};
  shown.weights = {4, test::at("2023-01-24T00:00:00Z"), 12};
  s.s->use([&](auto& now) { now.portraits = {{"s1", shown}}; });
  const auto told = json_of(client.get("/api/v1/stores/s1"));
  CHECK(text_of(told, "as_of") == "2023-01-25T00:00:00.000000Z");
  CHECK(text_of(told, "newest_observation") == "2023-01-24T23:00:00.000000Z");
  CHECK(told.at("last_poll_age_s").to_number<double>() > 3600);
  const auto then = json_of(client.get("/api/v1/stores/s1?as_of=2023-01-25T00:00:00Z"));
  CHECK(text_of(then, "last_poll_age_s") == "3600");
  CHECK(told.at("active_now").as_double() == 0.957849);
  CHECK(told.at("open_now").as_bool());
  CHECK(text_of(told, "hours_in_force") ==
        R"({"valid_from":null,"hours":[{"day":2,"start":"09:00:00","end":"17:00:00"}]})");
  CHECK(text_of(told, "estimator") == "telegraph");
  CHECK(text_of(told, "weights") ==
        R"({"version":4,"fitted_at":"2023-01-24T00:00:00.000000Z","stores":12,"equal":false})");
  const auto& figures = told.at("figures").at("last_hour").as_object();
  CHECK(text_of(figures, "scheduled_s") == "3600");
  CHECK(figures.at("uptime_s").as_double() == 1800.5);
  CHECK(text_of(figures, "uptime_low_s") == "1");
  CHECK(text_of(figures, "uptime_high_s") == "2000");
  CHECK(figures.at("downtime_s").as_double() == 1799.5);
  CHECK(text_of(figures, "unknown_s") == "0");
  CHECK(text_of(figures, "excluded_s") == "0");
  CHECK(figures.at("imputed_s").as_double() == 7e-6);
  CHECK(text_of(figures, "observations") == "3");
  CHECK(figures.at("observed_share").as_double() == 0.5);
  const auto& habits = told.at("habits").as_object();
  CHECK(habits.at("failures_per_day").as_double() == 1.5);
  CHECK(text_of(habits, "mean_outage_s") == "2700");
  CHECK(habits.at("active_at_opening").as_double() == 0.95);
  CHECK(text_of(told.at("fleet_habits").as_object(), "mean_outage_s") == "60");

  shown.habits.reset();
  shown.card.newest.reset();
  shown.active_now = no_chance;
  shown.figures.front().observed_share = no_chance;
  shown.weights = {};
  s.s->use([&](auto& now) { now.portraits = {{"s1", shown}}; });
  const auto unseen = json_of(client.get("/api/v1/stores/s1?as_of=2023-01-20T00:00:00Z"));
  for (const auto* nothing : {"last_poll_age_s", "active_now", "habits", "newest_status", "fleet_habits"})
    CHECK(text_of(unseen, nothing) == "null");
  for (const auto* nothing : {"uptime_low_s", "uptime_high_s", "observed_share"})
    CHECK(text_of(unseen.at("figures").at("last_hour").as_object(), nothing) == "null");
  CHECK(s.s->use([](auto& now) { return now.questions.back().as_of; }) == test::at("2023-01-20T00:00:00Z"));
}

TEST_CASE("a timeline has what a chart needs") {
  intake_site s;
  auto client = s.client();
  const auto from = test::at("2023-01-25T00:00:00Z");
  store_timeline shown;
  shown.as_of = from + 1h;
  shown.span = {from, from + 1h};
  shown.opening = {shown.span};
  shown.observations = {{from + 10min, store_status::active}, {from + 1h, store_status::inactive}};
  shown.stretches = {{{from, from + 30min}, stretch_state::up},
                     {{from + 30min, from + 1h}, stretch_state::down}};
  shown.curve = {{from, 250'000}, {from + 10min, 1'000'000}, {from + 1h, 0}};
  s.s->use([&](auto& now) { now.timelines = {{"a/b", shown}}; });
  const auto told = json_of(client.get("/api/v1/stores/a%2Fb/timeline"));
  CHECK(text_of(told, "store_id") == "a/b");
  CHECK(text_of(told, "from") == "2023-01-25T00:00:00.000000Z");
  CHECK(text_of(told, "to") == "2023-01-25T01:00:00.000000Z");
  CHECK(text_of(told, "as_of") == text_of(told, "to"));
  CHECK(text_of(told, "opening") ==
        R"([{"from":"2023-01-25T00:00:00.000000Z","to":"2023-01-25T01:00:00.000000Z"}])");
  CHECK(text_of(told, "closures") == "[]");
  CHECK(
      text_of(told, "observations") ==
      R"([{"at":"2023-01-25T00:10:00.000000Z","status":"active"},{"at":"2023-01-25T01:00:00.000000Z","status":"inactive"}])");
  CHECK(text_of(told.at("stretches").at(1).as_object(), "state") == "down");
  CHECK(told.at("curve").as_array().size() == 3);
  CHECK(told.at("curve").at(0).at("active").as_double() == 0.25);
  CHECK(text_of(told.at("curve").at(1).as_object(), "active") == "1");
  CHECK(text_of(told, "estimator") == "telegraph");

  const std::string span = "?from=2023-01-24%2000:00:00&to=2023-01-25T00:00:00Z";
  CHECK(client.get("/api/v1/stores/a%2Fb/timeline" + span).status == 200);
  const auto asked = s.s->use([](auto& now) { return now.questions.back(); });
  CHECK(asked.from == test::at("2023-01-24T00:00:00Z"));
  CHECK(asked.to == test::at("2023-01-25T00:00:00Z"));
  CHECK_FALSE(asked.as_of);
  check_problem(client.get("/api/v1/stores/other/timeline"), 404, "not_found", "nothing is known");
  check_problem(client.get("/api/v1/stores/a%2Fb/timeline?from=now"), 400, "invalid_argument",
                "'from' has to be a timestamp");
  check_problem(client.get("/api/v1/stores/a%2Fb/timeline?step=1"), 400, "invalid_argument", "'step'");
  check_problem(client.get("/api/v1/stores/a%2Fb?from=2023-01-24T00:00:00Z"), 400, "invalid_argument",
                "'from'");
  CHECK(client.request("DELETE", "/api/v1/stores/a%2Fb/timeline").status == 405);
}
