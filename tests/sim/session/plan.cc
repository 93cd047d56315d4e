#include "plan.h"

#include <array>

namespace longwire::sim {
namespace {

using base::kMillisecond;
using link::Cut;
using link::LinkFaults;

// A session of small steps is some 10 KiB in either direction, the first of it the description of
// the node's devices.
constexpr std::uint64_t kFewBytes = 24 << 10;
constexpr std::uint64_t kHandshakeBytes = 150;

LinkFaults::Point any_point(base::Random& random, std::uint64_t within_bytes) {
  return {static_cast<std::size_t>(random.below(2)), 1 + random.below(within_bytes)};
}

LinkFaults some_link(base::Random& random) {
  LinkFaults faults;
  faults.seed = random.u64() >> 2;
  constexpr std::array<std::size_t, 4> kPipes = {4 << 10, 64 << 10, 256 << 10, 1 << 20};
  faults.pipe_bytes = kPipes[random.below(kPipes.size())];
  constexpr std::array<std::size_t, 4> kSteps = {0, 0, 4096, 300};
  faults.max_step_bytes = kSteps[random.below(kSteps.size())];
  if (random.one_in(4)) faults.latency_ns = static_cast<base::Nanoseconds>(random.below(300'000));
  if (random.one_in(4)) {
    const auto for_ns = static_cast<base::Nanoseconds>(1 + random.below(8)) * kMillisecond;
    faults.stalls.push_back({any_point(random, kFewBytes), for_ns});
  }
  return faults;
}

// A silent one costs a second of waiting, until somebody suspects it: so there are few of them.
Cut some_cut(base::Random& random) {
  if (random.one_in(24)) return random.one_in(2) ? Cut::kSilent : Cut::kToldSecond;
  constexpr std::array<Cut, 3> kCuts = {Cut::kReset, Cut::kClosed, Cut::kToldFirst};
  return kCuts[random.below(kCuts.size())];
}

LinkPlan cut_link(base::Random& random, bool first) {
  LinkPlan plan;
  plan.faults = some_link(random);
  plan.faults.cut = some_cut(random);
  plan.handshake_is_cut = !first && random.one_in(4);
  plan.faults.cut_at = any_point(random, plan.handshake_is_cut ? kHandshakeBytes : kFewBytes);
  if (!plan.handshake_is_cut) plan.faults.cut_at.at_bytes += kHandshakeBytes;
  return plan;
}

Fatal some_fatal(base::Random& random) {
  if (!random.one_in(4)) return Fatal::kNone;
  constexpr std::array<Fatal, 3> kAll = {Fatal::kWorkerStops, Fatal::kWorkerGone,
                                         Fatal::kGracePasses};
  return kAll[random.below(kAll.size())];
}

const char* name_of(Fatal fatal) {
  constexpr std::array<const char*, 4> kNames = {"none", "worker stops", "worker gone",
                                                 "grace passes"};
  return kNames[static_cast<std::size_t>(fatal)];
}

const char* name_of(Cut cut) {
  constexpr std::array<const char*, 6> kNames = {"none",       "reset",       "closed",
                                                 "told first", "told second", "silent"};
  return kNames[static_cast<std::size_t>(cut)];
}

}  // namespace

Plan::Plan(std::uint64_t seed_) : seed(seed_) {
  base::SeededRandom random(seed);
  fatal = some_fatal(random);
  fatal_at_bytes = 1 + random.below(kFewBytes);
  fatal_towards = random.below(2);
  const std::uint64_t cuts = random.one_in(3) ? 0 : 1 + random.below(kMaxCuts);
  for (std::uint64_t i = 0; i < cuts; ++i) {
    links.push_back(cut_link(random, i == 0));
    refusals.push_back(random.one_in(8) ? 1 + static_cast<unsigned>(random.below(kMaxRefusals))
                                        : 0);
  }
  links.push_back({some_link(random), false});
  lanes = static_cast<std::uint32_t>(random.below(3));
  lane_faults = some_link(random);
  if (random.one_in(6)) {
    clock_jump_ns = static_cast<base::Nanoseconds>(1 + random.below(5000)) * kMillisecond;
    clock_jump_at = any_point(random, kFewBytes);
  }
  steps = 2 + static_cast<unsigned>(random.below(kMaxSteps - 1));
  program_seed = random.u64();
}

std::string Plan::to_string() const {
  std::string text = "fatal: " + std::string(name_of(fatal)) + "; lanes: " + std::to_string(lanes);
  for (const LinkPlan& one : links) {
    if (one.faults.cut == Cut::kNone) continue;
    text += "; cut (" + std::string(name_of(one.faults.cut)) + ") at " +
            std::to_string(one.faults.cut_at.at_bytes) + " towards " +
            (one.faults.cut_at.towards == 0 ? "client" : "worker");
  }
  if (clock_jump_ns) text += "; clock jumps " + std::to_string(*clock_jump_ns) + " ns";
  return text + "; steps: " + std::to_string(steps);
}

}  // namespace longwire::sim
