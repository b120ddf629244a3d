// Table: what add refuses, what find and at give, and what at suggests.

#include "jensen/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "jensen/errors.hpp"

namespace {

using jensen::Column;
using jensen::InputError;
using jensen::Table;

template <class Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Table, HoldsViewsOfTheCallersMemory) {
  std::vector<double> x{1, 2, std::numeric_limits<double>::quiet_NaN()};
  const std::vector<float> w{0.5F, 1.5F, 2.5F};
  const std::vector<std::int32_t> codes{1, -1, 0};
  Table table("memory");
  table.add("x", x);
  table.add("w", w);
  table.add("g", codes, {"low", "high"});
  x[0] = 7;
  EXPECT_EQ(table.rows(), 3U);
  EXPECT_EQ(table.at("x").number(0), 7);
  EXPECT_TRUE(table.at("x").missing(2));
  EXPECT_EQ(table.at("w").number(2), 2.5);
  EXPECT_TRUE(table.at("g").missing(1));
  EXPECT_EQ(table.at("g").levels[static_cast<std::size_t>(table.at("g").codes[0])], "high");
  EXPECT_EQ(table.find("nothing"), nullptr);
  EXPECT_EQ(table.find("x"), &table.columns()[0]);
}

TEST(Table, RefusesWhatIsNoTable) {
  const std::vector<double> two{1, 2};
  const std::vector<double> three{1, 2, 3};
  const std::vector<std::int32_t> codes{0, 2};
  Table table("t");
  table.add("x", two);
  EXPECT_EQ(message_of([&] { table.add("", two); }), "column 2 has an empty name (t); name it");
  EXPECT_EQ(message_of([&] { table.add("x", two); }), "there is a column 'x' already (t); rename one");
  EXPECT_EQ(message_of([&] { table.add("y", three); }),
            "column 'y' has 3 rows, those before have 2 (t); make them equally long");
  EXPECT_EQ(message_of([&] {
              table.add("g", codes, {"a", "b"});
            }),
            "row 2, column 'g': code 2 has no level (t); give each code from 0 its level");
  Column both;
  both.name = "both";
  both.doubles = two;
  both.codes = codes;
  EXPECT_THAT(message_of([&] { table.add(both); }), testing::HasSubstr("mixes kinds of storage"));
  both.text = true;
  EXPECT_THAT(message_of([&] { table.add(both); }), testing::HasSubstr("mixes kinds of storage"));
  EXPECT_EQ(table.columns().size(), 1U);
}

TEST(Table, SuggestsTheNearestNames) {
  const std::vector<double> x{1};
  Table table("flights.csv");
  for (const char* name : {"hour", "Distance", "dep_delay", "arr_delay"}) table.add(name, x);
  EXPECT_EQ(message_of([&] { table.at("huor"); }), "no column 'huor' (flights.csv); did you mean 'hour'?");
  EXPECT_EQ(message_of([&] { table.at("carrier"); }),
            "no column 'carrier' (flights.csv); its columns are 'hour', 'Distance', 'dep_delay', 'arr_delay'");
  EXPECT_EQ(message_of([&] { table.at("hours"); }), "no column 'hours' (flights.csv); did you mean 'hour'?");
  EXPECT_EQ(message_of([&] { table.at("distance"); }), "no column 'distance' (flights.csv); did you mean 'Distance'?");
  EXPECT_EQ(message_of([&] { table.at("dar_delay"); }),
            "no column 'dar_delay' (flights.csv); did you mean 'dep_delay' or 'arr_delay'?");
  EXPECT_EQ(message_of([] { Table("empty").at("x"); }), "no column 'x' (empty); it has no columns");
}

}  // namespace
