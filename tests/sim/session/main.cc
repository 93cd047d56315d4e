// session_sim --seed S --sessions N [--parallel P] [--bug NAME]: runs the simulated sessions of the
// seeds S to S+N-1. Prints what it has run, and for a failure its seed and the command that repeats
// it. Exit status: 0, 1 after a failure, 2 for wrong arguments, 3 when a session hangs.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "session_sim.h"

namespace {

bool read_number(const char* text, unsigned long long& value) {
  char* end = nullptr;
  value = std::strtoull(text, &end, 10);
  return end != text && *end == '\0';
}

bool parse(int argc, char** argv, longwire::sim::SimOptions& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--bug") {
      const auto bug = longwire::sim::bug_named(argv[i + 1]);
      if (!bug) return false;
      options.bug = *bug;
      options.replay += " --bug " + std::string(argv[i + 1]);
      continue;
    }
    unsigned long long value = 0;
    if (!read_number(argv[i + 1], value) || value == 0) return false;
    if (name == "--seed") {
      options.seed = value;
    } else if (name == "--sessions") {
      options.sessions = value;
    } else if (name == "--parallel" && value <= longwire::sim::kMaxParallel) {
      options.parallel = static_cast<unsigned>(value);
    } else if (name == "--hang-stays" && value == 1) {
      options.hang_stays = true;
    } else if (name == "--hang-seconds" && value <= 3600) {
      options.hang_seconds = static_cast<int>(value);
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

}  // namespace

int main(int argc, char** argv) {
  longwire::sim::SimOptions options;
  options.replay = argv[0];
  options.progress = true;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: %s --seed S --sessions N [--parallel P] [--hang-seconds T] [--bug NAME]\n",
                 argv[0]);
    return 2;
  }
  const longwire::sim::SimResult result = longwire::sim::simulate_sessions(options);
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("%llu sessions: %llu resumes, %llu lost as planned, %llu launches\n",
              number(result.totals.sessions), number(result.totals.resumes),
              number(result.totals.lost), number(result.totals.launches));
  for (const auto& failure : result.failures)
    std::printf("%s\n", to_string(failure, options).c_str());
  return result.failures.empty() ? 0 : 1;
}
