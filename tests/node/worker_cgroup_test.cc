#include "node/worker_cgroup.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "node/worker_process.h"

namespace longwire::node {
namespace {

namespace fs = std::filesystem;

// A sub-tree of cgroup v2 that is this test's; skipped where this machine gives none.
class WorkerCgroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ifstream mounts("/proc/self/mounts");
    for (std::string device, place, type, rest; mounts >> device >> place >> type;) {
      std::getline(mounts, rest);
      if (type == "cgroup2") root_ = fs::path(place) / ("lw-test-" + std::to_string(::getpid()));
    }
    if (root_.empty() || ::mkdir(root_.c_str(), 0755) != 0) {
      root_.clear();
      GTEST_SKIP() << "needs a cgroup v2 file system that may be written";
    }
  }
  void TearDown() override {
    if (root_.empty()) return;
    EXPECT_EQ(::rmdir(root_.c_str()), 0) << "a group is left";
  }
  WorkerCgroups open(const CgroupLimits& limits = {}, bool agent_is_inside = false) {
    return WorkerCgroups::open({root_, agent_is_inside}, limits).value();
  }
  static std::string group_of(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/cgroup");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("0::")) return fs::path(line.substr(3)).filename().string();
    }
    return "";
  }
  static bool exists(const fs::path& group) { return ::access(group.c_str(), F_OK) == 0; }

  fs::path root_;
};

// A shell that starts another process, which leaves its process group and says its number.
WorkerCommand family(const WorkerCgroups& groups) {
  WorkerCommand command;
  command.program = "/bin/sh";
  command.arguments = {"-c", "setsid sh -c 'echo $$; exec sleep 1000' & wait"};
  command.cgroups = &groups;
  return command;
}

pid_t read_pid(int output) {
  char text[32] = {};
  const ssize_t got = ::read(output, text, sizeof text - 1);
  return got > 0 ? static_cast<pid_t>(std::atoi(text)) : -1;
}

void wait_until_gone(pid_t process) {
  while (::kill(process, 0) == 0 && ::waitpid(process, nullptr, WNOHANG) != process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string number, name, state;
    if (file >> number >> name >> state && state == "Z") return;  // somebody else's to reap
    ::usleep(1000);
  }
}

TEST_F(WorkerCgroupTest, AWorkerAndAllThatItStartsAreInItAndDieAtOnce) {
  const WorkerCgroups groups = open();
  pid_t child = -1;
  {
    const SpawnedWorker worker = spawn_worker(family(groups)).value();
    child = read_pid(worker.output.get());
    ASSERT_GT(child, 0);
    const std::string name = worker.cgroup.path().filename().string();
    EXPECT_EQ(group_of(worker.pid), name);
    EXPECT_EQ(group_of(child), name);
    { const WorkerCgroup other = groups.make("").value(); }
    EXPECT_TRUE(exists(worker.cgroup.path())) << "taken for a leftover";

    worker.cgroup.kill();
    int status = 0;
    ASSERT_EQ(::waitpid(worker.pid, &status, 0), worker.pid);
    EXPECT_TRUE(WIFSIGNALED(status));
    wait_until_gone(child);
  }
  groups.end_all_but({});
}

TEST_F(WorkerCgroupTest, WhatWasLeftIsEndedButForThoseOnRecord) {
  const WorkerCgroups groups = open();
  pid_t leftover = -1;
  {
    // The agent dies here: the group is not empty, and stays.
    const SpawnedWorker worker = spawn_worker(family(groups)).value();
    leftover = worker.pid;
    ASSERT_GT(read_pid(worker.output.get()), 0);
  }
  const WorkerCgroup kept = groups.make("kept").value();
  ASSERT_EQ(::mkdir((root_ / "others").c_str(), 0755), 0);
  groups.end_all_but({"kept"});
  wait_until_gone(leftover);
  EXPECT_TRUE(exists(root_ / "others"));
  EXPECT_EQ(::rmdir((root_ / "others").c_str()), 0);

  EXPECT_EQ(groups.take_over("kept").path(), kept.path());
  EXPECT_FALSE(exists(kept.path())) << "empty, so it went with who had taken it over";
  EXPECT_LT(groups.take_over("never made").entrance(), 0);
}

TEST_F(WorkerCgroupTest, LimitsHoldOrAreNamed) {
  const WorkerCgroups groups = open({.memory_bytes = 64 << 20, .processes = 50});
  const WorkerCgroup group = groups.make("").value();
  const auto value = [&](const char* file) {
    std::ifstream in(group.path() / file);
    std::string text;
    in >> text;
    return text;
  };
  const auto is_missing = [&](const char* setting) {
    return groups.missing().find(setting) != std::string::npos;
  };
  EXPECT_EQ(value("memory.max"), is_missing("worker.memory") ? "" : "67108864");
  EXPECT_EQ(value("pids.max"), is_missing("worker.processes") ? "" : "50");
}

// Or the next agent could not be started there beside workers that live.
TEST_F(WorkerCgroupTest, NoControllerIsEnabledWhereTheAgentItselfIs) {
  const WorkerCgroups groups = open({.memory_bytes = 64 << 20, .processes = 50}, true);
  EXPECT_NE(groups.missing().find("DelegateSubgroup"), std::string::npos);
  std::ifstream control(root_ / "cgroup.subtree_control");
  std::string enabled;
  EXPECT_FALSE(control >> enabled) << enabled;
}

TEST_F(WorkerCgroupTest, BelongsToOneAgent) {
  const WorkerCgroups groups = open();
  const auto second = WorkerCgroups::open({root_, false}, {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), base::ErrorCode::kUnavailable);
}

TEST(WorkerCgroups, AreNotMadeWhereNobodyHasGivenThemAway) {
  EXPECT_EQ(WorkerCgroups::find(-1).error().code(), base::ErrorCode::kNotFound);
  EXPECT_EQ(WorkerCgroups::open({"/proc", false}, {}).error().code(), base::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace longwire::node
