#include "client/core/call_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace longwire::client::core {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array<const char*, 3> kNames = {"clOne", "clTwo", "clThree"};

class CallRecorderTest : public ::testing::Test {
 protected:
  CallRecorderTest() {
    std::string pattern = "/tmp/longwire-recorder-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  ~CallRecorderTest() override {
    std::filesystem::remove_all(folder);
    g_recorder = nullptr;
  }
  std::string written(CallRecorder& recorder, std::span<const NodeFacts> nodes = {}) {
    const std::string path = folder + "/trace" + std::to_string(++files);
    EXPECT_TRUE(recorder.write(path, nodes).ok());
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static CallFacts call(base::Nanoseconds took_ns, std::uint64_t round_trips = 0) {
    return {100, took_ns, {round_trips, round_trips, took_ns / 2, 10, 20}};
  }
  std::string folder;
  int files = 0;
};

TEST_F(CallRecorderTest, AddsUpPerFunction) {
  CallRecorder recorder(kNames, 0);
  recorder.record(1, call(30));
  recorder.record(1, call(50, 2));
  const std::string text = written(recorder);
  EXPECT_THAT(text,
              HasSubstr("{\"function\":\"clTwo\",\"calls\":2,\"took_ns\":80,\"longest_ns\":50,"
                        "\"sent\":20,\"received\":40,\"round_trips\":2,\"waits\":2,"
                        "\"blocked_ns\":40}\n"));
  EXPECT_THAT(text, Not(HasSubstr("clOne")));
}

TEST_F(CallRecorderTest, KeepsCallsUpToItsLimitAndCountsTheRest) {
  CallRecorder recorder(kNames, 2);
  for (int i = 0; i < 5; ++i)
    recorder.record(0, call(1));
  const std::string text = written(recorder);
  EXPECT_THAT(text, HasSubstr("\"dropped\":3"));
  EXPECT_THAT(text, HasSubstr("\"calls\":5"));
  std::size_t calls = 0;
  for (std::size_t at = 0; (at = text.find("{\"call\":", at)) != std::string::npos; ++at)
    ++calls;
  EXPECT_EQ(calls, 2u);
}

TEST_F(CallRecorderTest, EveryThreadIsApart) {
  CallRecorder recorder(kNames, 100);
  recorder.record(0, call(1));
  std::thread([&] { recorder.record(0, call(1)); }).join();
  const std::string text = written(recorder);
  EXPECT_THAT(text, HasSubstr("\"thread\":" + std::to_string(::gettid())));
  std::size_t threads = 0;
  for (std::size_t at = 0; (at = text.find("{\"thread\":", at)) != std::string::npos; ++at)
    ++threads;
  EXPECT_EQ(threads, 2u);
}

TEST_F(CallRecorderTest, NodesAreNamedWhateverTheyAreCalled) {
  CallRecorder recorder(kNames, 0);
  NodeFacts node{"a \"node\"\n", {}};
  node.counters.round_trips = 3;
  const std::string text = written(recorder, {&node, 1});
  EXPECT_THAT(text, HasSubstr("\"node\":\"a \\\"node\\\"\\u000a\""));
  EXPECT_THAT(text, HasSubstr("\"round_trips\":3"));
}

TEST_F(CallRecorderTest, CommandsAreMovedToOurClock) {
  CallRecorder recorder(kNames, 2);
  recorder.record_command({0x11F0, 0, 7, 1000, 1100}, 51'200);  // told 100 late
  recorder.record_command({0x11F3, 0, 7, 2000, 2500}, 52'500);
  recorder.record_command({0x11F3, 0, 7, 3000, 3500}, 60'000);  // one too many
  const std::string text = written(recorder);
  EXPECT_THAT(text, HasSubstr("{\"command\":4592,\"node_index\":0,\"queue\":7,"
                              "\"began_ns\":51000,\"took_ns\":100}\n"));
  EXPECT_THAT(text, HasSubstr("\"began_ns\":52000,\"took_ns\":500}\n"));
  EXPECT_THAT(text, HasSubstr("\"dropped\":1"));
}

TEST_F(CallRecorderTest, NeverOverwrites) {
  CallRecorder recorder(kNames, 0);
  const std::string path = folder + "/there";
  ASSERT_TRUE(recorder.write(path, {}).ok());
  EXPECT_FALSE(recorder.write(path, {}).ok());
}

TEST_F(CallRecorderTest, ASpanIsTheDifference) {
  CallRecorder recorder(kNames, 1);
  g_recorder = &recorder;
  thread_counters().bytes_sent += 1000;
  CallSpan span(2);
  thread_counters().bytes_sent += 7;
  span.end();
  EXPECT_THAT(written(recorder), HasSubstr("\"function\":\"clThree\",\"calls\":1"));
  EXPECT_THAT(written(recorder), HasSubstr("\"sent\":7,"));
}

TEST_F(CallRecorderTest, WithoutARecorderASpanIsNothing) {
  CallSpan span(2);
  span.end();
}

TEST_F(CallRecorderTest, ThreadsRecordWhileItIsWritten) {
  CallRecorder recorder(kNames, 100'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i)
        recorder.record(0, call(1));
    });
  }
  written(recorder);
  for (auto& thread : threads)
    thread.join();
  EXPECT_THAT(written(recorder), HasSubstr("\"calls\":10000,"));
}

}  // namespace
}  // namespace longwire::client::core
