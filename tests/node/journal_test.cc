#include "node/journal.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace longwire::node {
namespace {

TEST(Journal, TextIsKeyEqualsValue) {
  EXPECT_EQ(format_event("session.end", {{"peer", "10.0.0.1:5"}, {"bytes", 42u}}, false),
            "session.end peer=10.0.0.1:5 bytes=42");
  EXPECT_EQ(format_event("x", {{"empty", ""}}, false), "x empty=\"\"");
}

TEST(Journal, NoClientForgesALine) {
  const std::string hostile = "a\nsession.end x=\"\x1b[2J\\\x7f\xff";
  EXPECT_EQ(format_event("x", {{"program", hostile}}, false),
            R"(x program="a\x0asession.end x=\"\x1b[2J\\\x7f\xff")");
  const auto json = nlohmann::json::parse(format_event("x", {{"program", hostile}}, true));
  EXPECT_EQ(json["event"], "x");
}

TEST(Journal, JsonKeepsNumbers) {
  const auto json = nlohmann::json::parse(format_event("e", {{"n", 7}, {"s", "7"}}, true));
  EXPECT_EQ(json["n"], 7);
  EXPECT_EQ(json["s"], "7");
}

TEST(Journal, LongValuesAreCut) {
  const std::string line = format_event("e", {{"v", std::string(100'000, 'a')}}, false);
  EXPECT_EQ(line.size(), 4 + kMaxLogValueBytes);
}

}  // namespace
}  // namespace longwire::node
