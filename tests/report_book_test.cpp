/// Which reports are kept, under which names.
#include "storemon/report/report_book.hpp"

#include "support/instants.hpp"

#include <catch2/catch.hpp>

using namespace storemon;
using namespace std::chrono_literals;
using protocol::report_state;
using report::report_book;

namespace {

using ids = std::vector<std::string>;

const instant noon = parse_instant("2023-01-25T12:00:00Z").value();

void open(report_book& book, const std::string& id, instant created = noon) {
  protocol::report_status status;
  status.id = id;
  status.created = created;
  book.open(std::move(status));
}

/// Gives a running report its file, under a free name, and closes it.
ids complete(report_book& book, const std::string& id, size_t bytes, instant at = noon) {
  auto status = *book.find(id);
  status.state = report_state::complete;
  status.finished = at;
  status.file_name = book.name_file(id, at);
  status.file_bytes = bytes;
  return book.close(std::move(status));
}

void end(report_book& book, const std::string& id, report_state state) {
  auto status = *book.find(id);
  status.state = state;
  status.finished = noon;
  book.close(std::move(status));
}

std::string listed(const report_book& book) {
  std::string ids;
  for (const auto& status : book.list())
    ids += status.id;
  return ids;
}

} // namespace

TEST_CASE("a file is named after the second it was written in") {
  report_book book({});
  CHECK(book.name_file("a", noon) == "store_report_20230125_120000.csv");
  CHECK(book.name_file("b", test::at("2024-02-29T23:59:59.999999Z")) == "store_report_20240229_235959.csv");
  CHECK(book.name_file("c", test::at("0999-12-01T01:02:03Z")) == "store_report_09991201_010203.csv");
}

TEST_CASE("reports of one second have different file names, each found again") {
  report_book book({});
  const std::vector<std::string> names{"store_report_20230125_120000.csv",
                                       "store_report_20230125_120000_2.csv",
                                       "store_report_20230125_120000_3.csv"};
  for (size_t i = 0; i < names.size(); ++i) {
    const auto id = std::to_string(i);
    open(book, id);
    complete(book, id, i + 1, noon + std::chrono::milliseconds(i));
    CHECK(book.find(id)->file_name == names[i]);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    REQUIRE(book.find_file(names[i]));
    CHECK(book.find_file(names[i])->file_bytes == i + 1);
  }
  CHECK_FALSE(book.find_file("store_report_20230125_120001.csv"));
  CHECK_FALSE(book.find_file(""));
}

TEST_CASE("beyond the number kept the report that finished first goes, whenever it was made") {
  report_book book({.reports_max = 2});
  open(book, "a", noon);
  open(book, "b", noon + 1s);
  open(book, "c", noon + 2s);
  CHECK(book.running() == 3);
  complete(book, "b", 1);
  end(book, "c", report_state::failed);
  CHECK(listed(book) == "cba");
  CHECK(complete(book, "a", 1) == ids{"b"});
  CHECK(book.running() == 0);
  CHECK(listed(book) == "ca");
  CHECK_FALSE(book.find("b"));
  CHECK_FALSE(book.find_file("store_report_20230125_120000.csv"));
  CHECK(book.find_file("store_report_20230125_120000_2.csv"));
  REQUIRE(book.find("c"));
  CHECK(book.find("c")->state == report_state::failed);
  CHECK(book.find("a")->state == report_state::complete);
  CHECK(book.find("a")->finished == noon);
}

TEST_CASE("beyond the bytes kept the oldest go, the newest always stays") {
  report_book book({.reports_max = 100, .bytes_max = 100});
  for (const auto* id : {"a", "b", "c"})
    open(book, id, noon + std::chrono::seconds(*id));
  complete(book, "a", 60);
  complete(book, "b", 40);
  CHECK(listed(book) == "cba");
  complete(book, "c", 1);
  CHECK(listed(book) == "cb");
  open(book, "d", noon + 200s);
  CHECK(complete(book, "d", 1000) == ids{"b", "c"});
  CHECK(listed(book) == "d");
  open(book, "e", noon + 201s);
  complete(book, "e", 100);
  CHECK(listed(book) == "e");
  open(book, "f", noon + 202s);
  end(book, "f", report_state::cancelled);
  CHECK(listed(book) == "fe");
}

TEST_CASE("running reports are never dropped and do not count as kept") {
  report_book book({.reports_max = 1});
  for (const auto* id : {"a", "b", "c", "d"})
    open(book, id, noon + std::chrono::seconds(*id));
  complete(book, "d", 1);
  CHECK(listed(book) == "dcba");
  complete(book, "a", 1);
  CHECK(listed(book) == "cba");
  CHECK(book.running() == 2);
}

TEST_CASE("reports are listed newest first, those of one instant by id") {
  report_book book({});
  CHECK(listed(book).empty());
  open(book, "z", noon + 1us);
  open(book, "b", noon);
  open(book, "a", noon);
  open(book, "y", noon - 1us);
  CHECK(listed(book) == "zaby");
}

TEST_CASE("a name is taken as soon as it is given, and free again when its report does not become complete") {
  report_book book({});
  open(book, "a");
  open(book, "b");
  CHECK(book.name_file("a", noon) == "store_report_20230125_120000.csv");
  CHECK_FALSE(book.find_file("store_report_20230125_120000.csv"));
  end(book, "a", report_state::cancelled);
  CHECK_FALSE(book.find_file("store_report_20230125_120000.csv"));
  complete(book, "b", 1);
  REQUIRE(book.find_file("store_report_20230125_120000.csv"));
  CHECK(book.find_file("store_report_20230125_120000.csv")->id == "b");
}

TEST_CASE("a report that ended before is entered as it stands, and its name is taken") {
  report_book book({});
  protocol::report_status status;
  status.id = "old";
  status.created = noon - 1s;
  status.state = report_state::complete;
  status.file_name = "store_report_20230125_120000.csv";
  status.file_bytes = 7;
  CHECK(book.close(status).empty());
  CHECK(book.running() == 0);
  REQUIRE(book.find_file(status.file_name));
  CHECK(book.find_file(status.file_name)->file_bytes == 7);
  open(book, "new");
  CHECK(book.name_file("new", noon) == "store_report_20230125_120000_2.csv");
  CHECK(listed(book) == "newold");
}
