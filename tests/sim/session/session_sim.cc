#include "session_sim.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "client/opencl/runtime.h"
#include "plan.h"
#include "program.h"
#include "sim_node.h"
#include "worker/fake/fake_driver.h"
#include "worker/opencl/backend.h"

namespace longwire::sim {
namespace {

// Each program has its own, so its thread does.
thread_local client::opencl::Runtime* t_runtime = nullptr;

// On a machine under load a session opens late, but it opens.
constexpr base::Nanoseconds kConnectTimeoutNs = 100 * base::kSecond;
constexpr int kHangExitStatus = 3;
// A folder in which nobody can store anything: what a build cache sees of a full disk.
constexpr const char* kNowhere = "/dev/full/builds";
// At the end of a batch a thread may need a moment to leave the process's list.
constexpr int kTriesToSettle = 200;
constexpr std::chrono::milliseconds kSettleStep{5};

// Keeps what the worker says, for the report of a failure.
class KeepingLogger final : public base::Logger {
 public:
  bool enabled(base::LogLevel level) const noexcept override {
    return level >= base::LogLevel::kInfo;
  }
  void write(base::LogLevel, std::string_view line) noexcept override {
    const std::lock_guard lock(mutex_);
    said_ += "\n  worker: " + std::string(line);
  }
  std::string said() const {
    const std::lock_guard lock(mutex_);
    return said_;
  }

 private:
  mutable std::mutex mutex_;
  std::string said_;
};

struct Verdict {
  std::vector<std::string> problems;
  SimTotals totals;
};

void judge_journal(const ProgramReport& report, const std::vector<std::uint32_t>& ran,
                   Verdict& verdict) {
  for (std::size_t i = 0; i < ran.size(); ++i) {
    if (ran[i] == i + 1) continue;
    verdict.problems.push_back("launch " + std::to_string(ran[i]) + " ran as number " +
                               std::to_string(i + 1));
    return;
  }
  if (ran.size() > report.launched) verdict.problems.push_back("more ran than was launched");
  const std::size_t least = report.lost ? report.confirmed : report.launched;
  if (ran.size() < least) {
    verdict.problems.push_back("only " + std::to_string(ran.size()) + " of " +
                               std::to_string(least) + " launches ran");
  }
}

void judge_callbacks(const ProgramReport& report, Verdict& verdict) {
  for (std::uint32_t i = 0; i < report.callbacks_wanted; ++i) {
    if ((*report.callbacks)[i] == 1) continue;
    verdict.problems.push_back("an event's callback was called " +
                               std::to_string((*report.callbacks)[i]) + " times");
  }
}

// What the sessions of a run share.
struct Machine {
  worker::fake::FakeDriver& driver;
  std::filesystem::path builds;  // the cache of those whose disk is not full
};

std::filesystem::path cache_of(const Plan& plan, const Machine& machine) {
  if (plan.cache == Cache::kNone) return {};
  return plan.cache == Cache::kWorks ? machine.builds : std::filesystem::path(kNowhere);
}

Verdict run_session(std::uint64_t seed, std::uint32_t slot, const Machine& machine, Bug bug) {
  const Plan plan(seed);
  JumpingClock clock;
  KeepingLogger logger;
  Verdict verdict;
  ProgramReport report;
  {
    auto backend =
        worker::opencl::make_backend(machine.driver.api(), nullptr, cache_of(plan, machine));
    SimNode node(plan, clock, logger, with_bug(std::move(backend), bug, plan), bug);
    client::opencl::RuntimeOptions options;
    options.connectors.push_back(node.connector());
    options.connect_timeout_ns = kConnectTimeoutNs;
    options.clock = &clock;
    auto runtime = std::make_unique<client::opencl::Runtime>(std::move(options));
    t_runtime = runtime.get();
    report = run_program(plan, slot);
    runtime.reset();
    t_runtime = nullptr;
    // A goodbye is not waited for: it may be lost with a link, or find a pipe full. Then the
    // worker would wait for a client that has gone, for as long as the grace is.
    node.client_has_gone();
    if (report.lost && !node.fatal_happened()) {
      report.problems.push_back("the session was lost before anything ended it");
    }
    verdict.totals.resumes = node.links() > 0 ? node.links() - 1 : 0;
  }
  verdict.problems = std::move(report.problems);
  judge_journal(report, machine.driver.take_journal(slot), verdict);
  judge_callbacks(report, verdict);
  verdict.totals.sessions = 1;
  verdict.totals.lost = report.lost ? 1 : 0;
  verdict.totals.launches = report.launched;
  for (std::string& problem : verdict.problems)
    problem += " [" + plan.to_string() + "]" + logger.said();
  return verdict;
}

// --- the process ---

std::size_t entries_of(const char* folder) {
  std::size_t count = 0;
  DIR* const dir = ::opendir(folder);
  if (dir == nullptr) return 0;
  while (::readdir(dir) != nullptr)
    ++count;
  ::closedir(dir);
  return count;
}

struct Holdings {
  std::size_t threads = entries_of("/proc/self/task");
  std::size_t descriptors = entries_of("/proc/self/fd");
};

// Every second batch of seeds has a device whose memory is the host's: its transfers go past the
// driver where they can.
worker::fake::FakeOptions driver_of(std::uint64_t batch) {
  worker::fake::FakeOptions options;
  options.unlucky_bytes = kUnluckyBytes;
  options.shares_memory = batch % 2 == 0;
  if (options.shares_memory) options.type = CL_DEVICE_TYPE_CPU;
  return options;
}

std::string what_is_left(const Holdings& before, const worker::fake::FakeDriver& driver) {
  std::string left;
  if (driver.live_objects() != 0) {
    left += std::to_string(driver.live_objects()) + " native objects are left; ";
  }
  if (driver.memory_bytes() != 0) {
    left += std::to_string(driver.memory_bytes()) + " bytes of device memory are left; ";
  }
  Holdings now;
  for (int i = 0; i < kTriesToSettle && now.threads > before.threads; ++i) {
    std::this_thread::sleep_for(kSettleStep);
    now = Holdings();
  }
  if (now.threads > before.threads) left += "threads are left; ";
  if (now.descriptors > before.descriptors) left += "descriptors are left; ";
  return left;
}

class OwnFolder {
 public:
  OwnFolder() { std::filesystem::create_directories(path_); }
  ~OwnFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("session-sim-" + std::to_string(::getpid()));
};

// --- many ---

using Steady = std::chrono::steady_clock;

// What runs now, for the watchdog.
struct Slot {
  std::uint64_t seed = 0;  // 0: nothing
  Steady::time_point began;
};

class Batch {
 public:
  Batch(const SimOptions& options, std::uint64_t first, std::uint64_t count, const Machine& machine)
      : options_(options), next_(first), end_(first + count), machine_(machine) {}

  void run(SimResult& result) {
    const std::uint64_t threads = std::min<std::uint64_t>(options_.parallel, end_ - next_);
    std::vector<std::thread> runners;
    for (std::uint32_t i = 0; i < threads; ++i)
      runners.emplace_back([this, i, &result] { run_slot(i, result); });
    std::thread dog([this] { watch(); });
    for (std::thread& runner : runners)
      runner.join();
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    dog.join();
  }

 private:
  void run_slot(std::uint32_t slot, SimResult& result) {
    for (;;) {
      const std::uint64_t seed = next_.fetch_add(1);
      if (seed >= end_) return;
      note(slot, seed);
      Verdict verdict = run_session(seed, slot, machine_, options_.bug);
      note(slot, 0);
      const std::lock_guard lock(mutex_);
      result.totals.sessions += verdict.totals.sessions;
      result.totals.lost += verdict.totals.lost;
      result.totals.resumes += verdict.totals.resumes;
      result.totals.launches += verdict.totals.launches;
      for (std::string& problem : verdict.problems)
        result.failures.push_back({seed, 1, std::move(problem)});
    }
  }
  void note(std::uint32_t slot, std::uint64_t seed) {
    const std::lock_guard lock(mutex_);
    slots_[slot] = {seed, Steady::now()};
  }
  // A blocked call always ends. Nothing can be joined when one does not: so the process ends.
  void watch() {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::seconds(1), [this] { return over_; })) {
      for (const Slot& slot : slots_) {
        if (slot.seed == 0) continue;
        if (Steady::now() - slot.began < std::chrono::seconds(options_.hang_seconds)) continue;
        const SimFailure hang{slot.seed, 1, "hangs [" + Plan(slot.seed).to_string() + "]"};
        std::printf("%s\n", to_string(hang, options_).c_str());
        if (options_.hang_stays) std::printf("process %d waits for a debugger\n", ::getpid());
        std::fflush(stdout);
        while (options_.hang_stays)
          ::pause();
        ::_exit(kHangExitStatus);
      }
    }
  }

  const SimOptions& options_;
  std::atomic<std::uint64_t> next_;
  const std::uint64_t end_;
  const Machine& machine_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::array<Slot, kMaxParallel> slots_;
};

}  // namespace

std::string to_string(const SimFailure& failure, const SimOptions& options) {
  return "FAILED: seed " + std::to_string(failure.seed) + ": " + failure.what +
         "\n  replay: " + options.replay + " --seed " + std::to_string(failure.seed) +
         " --sessions " + std::to_string(failure.sessions);
}

SimResult simulate_sessions(const SimOptions& options) {
  SimResult result;
  const OwnFolder builds;
  std::thread([] {}).join();  // with the first, ThreadSanitizer starts one of its own that stays
  const Holdings before;
  auto said = Steady::now();
  for (std::uint64_t done = 0; done < options.sessions && result.failures.empty();) {
    const std::uint64_t first = options.seed + done;
    const std::uint64_t count =
        std::min<std::uint64_t>(kBatch - first % kBatch, options.sessions - done);
    worker::fake::FakeDriver driver(driver_of(first / kBatch));
    Batch(options, first, count, Machine{driver, builds.path()}).run(result);
    if (std::string left = what_is_left(before, driver); !left.empty()) {
      result.failures.push_back({first, count, std::move(left)});
    }
    done += count;
    if (!options.progress || Steady::now() - said < std::chrono::seconds(10)) continue;
    said = Steady::now();
    std::printf("%llu of %llu sessions\n", static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(options.sessions));
    std::fflush(stdout);
  }
  return result;
}

}  // namespace longwire::sim

namespace longwire::client::opencl {

Runtime* process_runtime() noexcept { return sim::t_runtime; }

}  // namespace longwire::client::opencl
