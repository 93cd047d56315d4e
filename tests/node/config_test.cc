#include "node/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace longwire::node {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  auto parsed = parse_config(text, "t.toml");
  return parsed ? "" : parsed.error().message();
}

TEST(Config, AnEmptyFileIsTheDefault) {
  auto config = parse_config("", "t.toml");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->listen.tls.size(), 2u);
  EXPECT_TRUE(config->listen.plain.empty());
  EXPECT_EQ(config->worker.sandbox, SandboxMode::kEnforce);
}

TEST(Config, EveryKeyIsTakenOver) {
  auto config = parse_config(R"(
name = "gpu-box"
[listen]
tls = ["0.0.0.0:9000", "[::1]:9001"]
plain = ["127.0.0.1:0"]
unix = "/run/x/node.sock"
unix_group = "gpu"
[limits]
sessions = 3
sessions_per_tenant = 2
handshakes = 5
handshakes_per_address = 4
connections_per_minute = 6
handshake_timeout_ms = 700
worker_start_timeout_ms = 800
drain_ms = 900
lanes = 2
eager_credit = "1MiB"
session_memory = "8GiB"
session_handles = 1000
[worker]
program = "/x/worker"
sandbox = "log"
spares = 0
open_files = 128
processes = 64
file_size = "2GiB"
memory = "3GiB"
address_space = "64GiB"
first_user = 70000
devices = ["/dev/fpga0", "/dev/fpga1"]
scrub = "always"
dies_with_agent = true
[state]
directory = "/s"
cache = "/c"
[log]
level = "debug"
format = "json"
[tokens]
issuers = ["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
[keys]
accept_rotation = false
overlap_s = 60
[audit]
enabled = false
required = true
max_size = "1MiB"
files = 2
)",
                             "t.toml");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->name, "gpu-box");
  EXPECT_EQ(config->listen.tls, (std::vector<Address>{{"0.0.0.0", 9000}, {"::1", 9001}}));
  EXPECT_EQ(config->listen.plain, (std::vector<Address>{{"127.0.0.1", 0}}));
  EXPECT_EQ(config->listen.unix_socket, "/run/x/node.sock");
  EXPECT_EQ(config->listen.unix_group, "gpu");
  EXPECT_EQ(config->limits.sessions, 3u);
  EXPECT_EQ(config->limits.eager_credit_bytes, 1ull << 20);
  EXPECT_EQ(config->limits.drain_ms, 900u);
  EXPECT_EQ(config->worker.program, "/x/worker");
  EXPECT_EQ(config->worker.sandbox, SandboxMode::kLog);
  EXPECT_EQ(config->worker.spares, 0u);
  EXPECT_EQ(config->worker.file_size_bytes, 2ull << 30);
  EXPECT_EQ(config->worker.memory_bytes, 3ull << 30);
  EXPECT_EQ(config->worker.address_space_bytes, 64ull << 30);
  EXPECT_EQ(config->worker.first_user, 70000u);
  EXPECT_EQ(config->worker.devices.size(), 2u);
  EXPECT_EQ(config->worker.scrub, ScrubMode::kAlways);
  EXPECT_EQ(config->limits.session_memory_bytes, 8ull << 30);
  EXPECT_EQ(config->limits.session_handles, 1000u);
  EXPECT_TRUE(config->worker.dies_with_agent);
  EXPECT_EQ(config->state.cache, "/c");
  EXPECT_EQ(config->log.level, base::LogLevel::kDebug);
  EXPECT_TRUE(config->log.json);
  EXPECT_EQ(config->tokens.issuers.size(), 1u);
  EXPECT_FALSE(config->keys.accept_rotation);
  EXPECT_EQ(config->keys.overlap_s, 60u);
  EXPECT_FALSE(config->audit.enabled);
  EXPECT_TRUE(config->audit.required);
  EXPECT_EQ(config->audit.max_size_bytes, 1ull << 20);
  EXPECT_EQ(config->audit.files, 2u);
}

TEST(Config, AnIssuerIsAKey) {
  for (const char* bad : {"\"x\"", "[\"x\"]", "[5]", "[\"\"]"})
    EXPECT_FALSE(parse_config(std::string("[tokens]\nissuers = ") + bad + "\n", "t").ok()) << bad;
}

TEST(Config, AnAuditLogHoldsAFewLines) {
  EXPECT_FALSE(parse_config("[audit]\nmax_size = 1000\n", "t").ok());
  EXPECT_FALSE(parse_config("[audit]\nfiles = 0\n", "t").ok());
}

TEST(Config, UnknownKeysNameTheirLine) {
  EXPECT_EQ(error_of("nam = 'x'"), "t.toml:1:1: unknown key 'nam'");
  EXPECT_EQ(error_of("\n[listen]\ntsl = []\n"), "t.toml:3:1: unknown key 'tsl'");
  EXPECT_THAT(error_of("[lisen]\n"), HasSubstr("t.toml:1:"));
}

TEST(Config, WrongValuesNameTheirLineAndWhatIsWanted) {
  EXPECT_THAT(error_of("[limits]\nsessions = 0"), HasSubstr("t.toml:2:12: 'sessions' must be"));
  EXPECT_THAT(error_of("[limits]\nsessions = 99999"), HasSubstr("from 1 to 4096"));
  EXPECT_THAT(error_of("[limits]\nsessions = -1"), HasSubstr("from 1 to 4096"));
  EXPECT_THAT(error_of("[limits]\nsessions = 1.5"), HasSubstr("from 1 to 4096"));
  EXPECT_THAT(error_of("[limits]\nsessions = 'x'"), HasSubstr("from 1 to 4096"));
  EXPECT_THAT(error_of("[limits]\neager_credit = '2Gb'"), HasSubstr("not a size"));
  EXPECT_THAT(error_of("[limits]\neager_credit = -5"), HasSubstr("must be a size"));
  EXPECT_THAT(error_of("[listen]\ntls = 'x'"), HasSubstr("must be a list"));
  EXPECT_THAT(error_of("[listen]\ntls = [1]"), HasSubstr("must be a list of strings"));
  EXPECT_THAT(error_of("[listen]\ntls = ['a:b:c']"), HasSubstr("[brackets]"));
  EXPECT_THAT(error_of("[worker]\nsandbox = 'none'"), HasSubstr("\"enforce\", \"log\", \"off\""));
  EXPECT_THAT(error_of("[worker]\ndevices = ['fpga0']"), HasSubstr("list of paths"));
  EXPECT_THAT(error_of("[worker]\nfirst_user = 4294967295"), HasSubstr("from 0 to"));
  EXPECT_THAT(error_of("[worker]\ndies_with_agent = 1"), HasSubstr("true or false"));
  EXPECT_THAT(error_of("listen = 3"), HasSubstr("must be a [section]"));
}

TEST(Config, BrokenTomlNamesItsPlace) {
  EXPECT_THAT(error_of("[listen"), HasSubstr("t.toml:1:"));
  EXPECT_THAT(error_of("a = 1\na = 2\n"), HasSubstr("t.toml:2:"));
  EXPECT_FALSE(parse_config(std::string(kMaxConfigBytes + 1, ' '), "t.toml").ok());
}

TEST(Config, RandomTextNeverCrashes) {
  base::SeededRandom random(7);
  constexpr std::string_view kPieces[] = {
      "[",    "]", "listen", "limits",   "=",     "\"", "'",         "\n",
      "tls",  "1", "-",      "sessions", ".",     "{",  "}",         ",",
      "\xff", "#", "true",   "name",     "\\u12", "[[", "1979-05-27"};
  for (int i = 0; i < 5'000; ++i) {
    std::string text;
    for (int n = 0; n < 20; ++n)
      text += kPieces[random.below(std::size(kPieces))];
    [[maybe_unused]] const auto parsed = parse_config(text, "t.toml");
  }
}

TEST(Config, AMissingFileIsNotFound) {
  EXPECT_EQ(load_config("/nonexistent/x.toml").error().code(), base::ErrorCode::kNotFound);
}

TEST(Address, Forms) {
  EXPECT_EQ(*parse_address("1.2.3.4:5"), (Address{"1.2.3.4", 5}));
  EXPECT_EQ(*parse_address("1.2.3.4"), (Address{"1.2.3.4", kDefaultPort}));
  EXPECT_EQ(*parse_address(":80"), (Address{"", 80}));
  EXPECT_EQ(*parse_address("[::]:80"), (Address{"::", 80}));
  EXPECT_EQ(*parse_address("[::1]"), (Address{"::1", kDefaultPort}));
  for (const char* bad : {"", "a:", "a:x", "a:70000", "::1", "[::1", "[]:1", "[::1]x", "a:-1"}) {
    EXPECT_FALSE(parse_address(bad).ok()) << bad;
  }
  EXPECT_EQ(to_string(Address{"::1", 7}), "[::1]:7");
  EXPECT_EQ(to_string(Address{"1.2.3.4", 7}), "1.2.3.4:7");
}

TEST(Address, WhatItsTextSaysIsTheSame) {
  const std::string longest(253, 'h');
  for (const std::string& host : {longest, "[" + longest + "]", "[a:" + longest.substr(2) + "]"}) {
    const auto address = parse_address(host);
    ASSERT_TRUE(address.ok()) << host;
    EXPECT_EQ(*parse_address(to_string(*address)), *address);
  }
  for (const std::string& bad : {longest + "h", "[" + longest + "h]", std::string("[[a]"),
                                 std::string("a b"), std::string("a\0b", 3), std::string("a\n")}) {
    EXPECT_FALSE(parse_address(bad).ok()) << bad;
  }
}

TEST(Bytes, Forms) {
  EXPECT_EQ(*parse_bytes("0"), 0u);
  EXPECT_EQ(*parse_bytes("17B"), 17u);
  EXPECT_EQ(*parse_bytes("3 MiB"), 3u << 20);
  for (const char* bad : {"", "x", "1GB", "-1", "1 GiB ", "99999999999TiB", "0x10"}) {
    EXPECT_FALSE(parse_bytes(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace longwire::node
