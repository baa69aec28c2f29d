/// The text of JSON answers.
#include "storemon/http/json_text.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

namespace json = boost::json;
using storemon::http::json_text;

TEST_CASE("all but doubles is written as Boost.JSON does") {
  std::string bytes;
  for (int c = 0; c < 256; ++c)
    bytes += static_cast<char>(c);
  const json::value values[] = {
      nullptr,
      true,
      false,
      0,
      -1,
      std::numeric_limits<int64_t>::min(),
      std::numeric_limits<uint64_t>::max(),
      "",
      "plain",
      "\"",
      "\\\\",
      json::string_view(bytes.data(), bytes.size()),
      "\xc3\xa9\xe2\x82\xac",
      json::object(),
      json::array(),
      {{"a", 1}, {"\n", {{"b", json::array{1, json::array(), json::object(), nullptr}}}}, {"", false}},
      json::array{json::array{json::array{"x"}}, {{"k", "v"}}},
  };
  for (const auto& value : values)
    CHECK(json_text(value) == json::serialize(value));
}

TEST_CASE("doubles are plain decimals, as short as can be") {
  CHECK(json_text(1.21048555167872e8) == "121048555.167872");
  CHECK(json_text(0.1) == "0.1");
  CHECK(json_text(0.000001) == "0.000001");
  CHECK(json_text(-1.5e-10) == "-0.00000000015");
  CHECK(json_text(3600.0) == "3600");
  CHECK(json_text(0.0) == "0");
  CHECK(json_text(1e22) == "10000000000000000000000");
  CHECK(json_text(json::array{0.25, 1.0, 1e-7}) == "[0.25,1,0.0000001]");
  CHECK(json_text(std::nan("")) == "null");
  CHECK(json_text(-std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("every double reads back as it was") {
  std::mt19937_64 random(5);
  const auto check = [](double number) {
    const auto text = json_text(number);
    REQUIRE(text.find_first_not_of("-.0123456789") == std::string::npos);
    REQUIRE(std::strtod(text.c_str(), nullptr) == number);
  };
  check(std::numeric_limits<double>::max());
  check(std::numeric_limits<double>::lowest());
  check(std::numeric_limits<double>::min());
  check(std::nextafter(0.0, -1.0)); // the longest there is, but for its digits
  for (int i = 0; i < 100'000; ++i) {
    if (const auto any = std::bit_cast<double>(random()); std::fpclassify(any) == FP_NORMAL)
      check(any);
    check(static_cast<double>(static_cast<int64_t>(random() % 1'000'000'000'000)) / 1e6);
  }
}
