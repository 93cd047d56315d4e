#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "app/longwire/audit_view.h"

namespace longwire::app {
namespace {

constexpr const char* kLog =
    R"({"time":"2026-11-19T10:00:00.000Z","event":"session.begin","tenant":"lab"}
{"time":"2026-11-20T10:00:00.000Z","event":"session.end","tenant":"lab","reason":"a\nb\u001b[2J"}
{"time":"2026-11-20T11:00:00.000Z","eve
[1,2]
{"time":"2026-11-20T12:00:00.000Z","event":"pairing.wrong","peer":"10.0.0.1"}
)";

std::string show(const AuditQuery& query) {
  std::istringstream log(kLog);
  std::uint64_t unreadable = 0;
  const std::string shown = show_audit(log, query, unreadable);
  EXPECT_EQ(unreadable, 2u);
  return shown;
}

TEST(AuditView, ALinePerEventAndNothingForATerminal) {
  EXPECT_EQ(show({}),
            "2026-11-19T10:00:00.000Z session.begin tenant=\"lab\"\n"
            "2026-11-20T10:00:00.000Z session.end tenant=\"lab\" reason=\"a\\nb\\u001b[2J\"\n"
            "2026-11-20T12:00:00.000Z pairing.wrong peer=\"10.0.0.1\"\n");
}

TEST(AuditView, SinceAndTenantChoose) {
  EXPECT_EQ(show({"2026-11-20", "lab", true}),
            R"({"time":"2026-11-20T10:00:00.000Z","event":"session.end","tenant":"lab",)"
            R"("reason":"a\nb\u001b[2J"})"
            "\n");
}

// Whatever wrote the log: it goes to a terminal.
TEST(AuditView, TimesEventsAndKeysAreEscapedToo) {
  std::istringstream log(R"({"time":"2026\u001b[2J","event":"\u0007x","\u009b2J":1})");
  std::uint64_t unreadable = 0;
  EXPECT_EQ(show_audit(log, {"", "", false}, unreadable), "2026\\u001b[2J \\u0007x \\u009b2J=1\n");
}

// Each level of a value within a value would be one of the stack's.
TEST(AuditView, DeepAndEndlessLinesAreNoEvents) {
  const std::string begin = R"({"time":"2026-11-20T10:00:00.000Z","event":"x","v":)";
  constexpr std::size_t kLevels = 100'000;
  const std::string deep = begin + std::string(kLevels, '[') + std::string(kLevels, ']') + "}\n";
  const std::string endless = begin + '"' + std::string(2 * kMaxAuditLineBytes, 'x') + "\"}\n";
  for (const bool json : {false, true}) {
    std::istringstream log(deep + endless + begin + "1}\n" + begin + "2}");
    std::uint64_t unreadable = 0;
    const std::string shown = show_audit(log, {"", "", json}, unreadable);
    EXPECT_EQ(unreadable, 2u);
    EXPECT_EQ(std::ranges::count(shown, '\n'), 2);
  }
}

TEST(AuditView, TimesAreDatesOrAges) {
  EXPECT_EQ(*parse_since("2026-11-20T20", 0), "2026-11-20T20");
  EXPECT_EQ(*parse_since("1d", 86'400 + 61), "1970-01-01T00:01:01");
  for (const char* wrong : {"", "x", "5", "-5m", "5y", "m", "2026-1-1", "99999999999999999d"})
    EXPECT_FALSE(parse_since(wrong, 0).ok()) << wrong;
}

}  // namespace
}  // namespace longwire::app
