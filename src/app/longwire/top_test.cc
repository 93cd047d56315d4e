// What `longwire top` makes of a node's answer.
#include "app/longwire/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace longwire::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kAnswer =
    R"({"event":"node","node":"box","software":"longwire 0","unix":"/run/s","uptime_ms":7380000,)"
    R"("sessions":1,"max_sessions":64,"ended_sessions":17})"
    "\n"
    R"({"event":"session","session":"00ff","tenant":"alice","peer":"10.0.0.2:5 on laptop",)"
    R"("program":"ren\u001b[2Jder","encrypted":1,"pid":4711,"age_ms":61000,"bytes_in":2048,)"
    R"("bytes_in_per_s":1024,"commands_per_s":12345,"device_ms_per_s":250,"resident_bytes":1048576})"
    "\n";

TEST(Top, ReadsAnAnswer) {
  const auto node = parse_top(kAnswer);
  ASSERT_TRUE(node.ok());
  EXPECT_EQ(node->node, "box");
  EXPECT_EQ(node->unix_socket, "/run/s");
  ASSERT_EQ(node->sessions.size(), 1u);
  EXPECT_EQ(node->sessions[0].pid, 4711);
  EXPECT_EQ(node->sessions[0].bytes_in_per_s, 1024u);
  EXPECT_TRUE(node->sessions[0].encrypted);
}

TEST(Top, RefusesWhatIsNone) {
  EXPECT_FALSE(parse_top("").ok());
  EXPECT_FALSE(parse_top("hello\n").ok());
  EXPECT_FALSE(parse_top("{\"event\":\"session\"}\n").ok());
  EXPECT_FALSE(parse_top("{\"event\":\"node\"}\n{\"event\":\"nod").ok());
}

TEST(Top, IsForPeopleAndHarmlessToTerminals) {
  const std::string text = top_text(*parse_top(kAnswer), {{"H200", "GPU", "", "", "", 1 << 30, 1}});
  EXPECT_THAT(text, HasSubstr("node box, longwire 0, up 2 h 3 min; sessions: 1 of 64, 17 ended"));
  EXPECT_THAT(text, HasSubstr("device H200 (GPU, 1.0 GiB)"));
  EXPECT_THAT(text, HasSubstr("25%"));
  EXPECT_THAT(text, HasSubstr("12.3 k"));
  EXPECT_THAT(text, HasSubstr("ren?[2Jder"));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
}

TEST(Top, IsForPrograms) {
  const auto json = nlohmann::json::parse(top_json(*parse_top(kAnswer), {}));
  EXPECT_EQ(json["sessions"][0]["tenant"], "alice");
  EXPECT_EQ(json["sessions"][0]["device_ms_per_s"], 250);
  EXPECT_EQ(json["ended"]["sessions"], 17);
}

}  // namespace
}  // namespace longwire::app
