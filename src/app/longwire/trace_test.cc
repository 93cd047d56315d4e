// What `longwire trace` makes of what the driver has written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/longwire/table.h"
#include "app/longwire/trace_file.h"
#include "app/longwire/trace_report.h"

namespace longwire::app {
namespace {

using client::core::CallRecorder;
using client::core::NodeFacts;
using ::testing::HasSubstr;

constexpr std::array<const char*, 2> kNames = {"clFinish", "clFlush"};

class TraceTest : public ::testing::Test {
 protected:
  TraceTest() {
    std::string pattern = "/tmp/longwire-trace-test-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  ~TraceTest() override { std::filesystem::remove_all(folder); }

  std::filesystem::path file(const std::string& text) {
    const auto path = folder / "file";
    std::ofstream(path) << text;
    return path;
  }

  struct Calls final : TraceReader {
    void on_process(const TracedProcess& process) override { processes.push_back(process); }
    void on_node(const NodeFacts& node) override { nodes.push_back(node); }
    void on_thread(const TracedThread& thread) override { threads.push_back(thread); }
    void on_function(const TracedFunction& function) override { functions.push_back(function); }
    void on_call(const TracedCall& call) override { calls.push_back(call); }
    void on_command(const TracedCommand& command) override { commands.push_back(command); }
    std::vector<TracedCommand> commands;
    std::vector<TracedProcess> processes;
    std::vector<NodeFacts> nodes;
    std::vector<TracedThread> threads;
    std::vector<TracedFunction> functions;
    std::vector<TracedCall> calls;
  };
  std::filesystem::path folder;
};

TEST_F(TraceTest, ReadsWhatTheDriverWrites) {
  CallRecorder recorder(kNames, 2);
  recorder.record_command({0x11F0, 1, 7, 100, 150}, 1150);
  recorder.record(0, {1000, 20, {1, 2, 15, 40, 56}});
  recorder.record(0, {2000, 30, {1, 1, 25, 40, 56}});
  NodeFacts node{"gpu-box:9477", {}};
  node.counters.messages_sent = 5;
  node.counters.lane_links.wakes = 3;
  const auto path = folder / "trace.1";
  ASSERT_TRUE(recorder.write(path, {&node, 1}).ok());
  Calls read;
  ASSERT_TRUE(read_trace(path, read).ok());
  ASSERT_EQ(read.processes.size(), 1u);
  EXPECT_EQ(read.processes[0].dropped, 1u);
  ASSERT_EQ(read.nodes.size(), 1u);
  EXPECT_EQ(read.nodes[0].name, "gpu-box:9477");
  EXPECT_EQ(read.nodes[0].counters.messages_sent, 5u);
  EXPECT_EQ(read.nodes[0].counters.lane_links.wakes, 3u);
  ASSERT_EQ(read.functions.size(), 1u);
  EXPECT_EQ(read.functions[0].name, "clFinish");
  EXPECT_EQ(read.functions[0].calls, 2u);
  EXPECT_EQ(read.functions[0].took_ns, 50);
  EXPECT_EQ(read.functions[0].longest_ns, 30);
  EXPECT_EQ(read.functions[0].cost.round_trips, 2u);
  EXPECT_EQ(read.functions[0].cost.waits, 3u);
  EXPECT_EQ(read.functions[0].cost.blocked_ns, 40);
  EXPECT_EQ(read.functions[0].cost.bytes_sent, 80u);
  EXPECT_EQ(read.functions[0].cost.bytes_received, 112u);
  ASSERT_EQ(read.calls.size(), 1u);
  EXPECT_EQ(read.calls[0].facts.began_ns, 1000);
  EXPECT_EQ(read.calls[0].thread, read.threads.at(0).thread);
  ASSERT_EQ(read.commands.size(), 1u);
  EXPECT_EQ(read.commands[0].type, 0x11F0u);
  EXPECT_EQ(read.commands[0].node, 1u);
  EXPECT_EQ(read.commands[0].queue, 7u);
  EXPECT_EQ(read.commands[0].began_ns, 1100);
  EXPECT_EQ(read.commands[0].took_ns, 50);
}

TEST_F(TraceTest, RefusesWhatIsNoTrace) {
  Calls read;
  EXPECT_FALSE(read_trace(folder / "missing", read).ok());
  EXPECT_FALSE(read_trace(file(""), read).ok());
  EXPECT_FALSE(read_trace(file("hello\n"), read).ok());
  EXPECT_FALSE(read_trace(file("{\"longwire_trace\":99}\n"), read).ok());
  EXPECT_FALSE(read_trace(file("{\"longwire_trace\":1}\n{\"function\":\"clFl"), read).ok());
  EXPECT_FALSE(read_trace(file(std::string(2 * kMaxTraceLineBytes, '[') + "\n"), read).ok());
  EXPECT_TRUE(read_trace(file("{\"longwire_trace\":1,\"process\":\"no number\"}\n"), read).ok());
}

TEST_F(TraceTest, ProcessesAndThreadsAddUp) {
  TraceReport report;
  EXPECT_TRUE(report.empty());
  for (int process = 1; process <= 2; ++process) {
    report.on_process({"render", process, 0});
    NodeFacts node{"gpu-box:9477", {}};
    node.counters.round_trips = 4;
    report.on_node(node);
    report.on_function({"clFlush", 1, 10, 10, {}});
    report.on_function({"clFinish", 3, 3000, 2000, {3, 3, 2500, 100, 200}});
  }
  const std::string text = report.text();
  EXPECT_THAT(text, HasSubstr("render (2 processes)"));
  EXPECT_THAT(text, HasSubstr("round trips   8 that a thread waited for"));
  EXPECT_LT(text.find("clFinish"), text.find("clFlush")) << "what took longest comes first";
  EXPECT_THAT(text, HasSubstr("clFinish      6  200 B     400 B      6  6.0 us  1.0 us  2.0 us"));
}

// Sums that wrap, and a mean that is INT64_MIN / -1, which a processor does not survive.
TEST_F(TraceTest, AbsurdNumbersAreNoCrash) {
  const std::string most = std::to_string(INT64_MAX);
  const auto function = [](const std::string& calls, const std::string& ns) {
    return R"({"function":"clFinish","calls":)" + calls + R"(,"took_ns":)" + ns +
           R"(,"blocked_ns":)" + ns + "}\n";
  };
  const std::string least = std::to_string(INT64_MIN);
  const std::string node = R"({"node":"box","blocked_ns":)" + most + "}\n";
  TraceReport report;
  ASSERT_TRUE(read_trace(file(R"({"longwire_trace":)" + std::to_string(client::core::kTraceFormat) +
                              "}\n" + node + node + function(most, most) + function(most, most) +
                              R"({"function":"clFlush","took_ns":)" + least + "}\n" +
                              R"({"function":"clFlush","calls":1,"took_ns":-1})"
                              "\n"),
                         report)
                  .ok());
  EXPECT_THAT(report.text(), HasSubstr("clFinish"));

  TraceReport wrapped;
  wrapped.on_process({"p", 1, 0});
  wrapped.on_function({"clFlush", UINT64_MAX, INT64_MIN, 0, {}});
  EXPECT_THAT(wrapped.text(), HasSubstr("clFlush"));
}

TEST(Table, NumbersAreForPeople) {
  EXPECT_EQ(show_bytes(0), "0 B");
  EXPECT_EQ(show_bytes(1023), "1023 B");
  EXPECT_EQ(show_bytes(1536), "1.5 KiB");
  EXPECT_EQ(show_bytes(std::uint64_t{300} << 20), "300 MiB");
  EXPECT_EQ(show_time(999), "999 ns");
  EXPECT_EQ(show_time(1500), "1.5 us");
  EXPECT_EQ(show_time(250'000'000), "250 ms");
  EXPECT_EQ(show_time(90'000'000'000), "90.0 s");
  EXPECT_EQ(show_number(0.5), "0.5");
  EXPECT_EQ(show_number(870.4), "870");
  EXPECT_EQ(show_number(210'300), "210.3 k");
  EXPECT_EQ(show_number(4'500'000), "4.5 M");
}

TEST(Table, NothingControlsTheTerminal) {
  EXPECT_EQ(printable("plain \u00e9\u20ac\U0001f600"), "plain \u00e9\u20ac\U0001f600");
  EXPECT_EQ(printable("\033[2J\x7f\n"), "?[2J??");
  EXPECT_EQ(printable("\u009b2J \x9b \xc2"), "??2J ? ?");
  EXPECT_EQ(printable("\xe2\x82 \xc0\x9b \xf5\x80\x80\x80"), "?? ?? ????");
  EXPECT_EQ(format_table({{"a\033[2J", "1"}}, 1), "a?[2J  1\n");
}

TEST(Table, ColumnsAlign) {
  EXPECT_EQ(format_table({{"NAME", "N"}, {"a", "10"}, {"longer", ""}}, 1),
            "NAME     N\na       10\nlonger\n");
}

}  // namespace
}  // namespace longwire::app
