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
constexpr std::uint64_t kAgentBytes = 8 << 10;
// Of a lane: a chunk or two.
constexpr std::uint64_t kLaneBytes = 400 << 10;
// What came later than the others has random numbers of its own, so that old seeds keep their plan.
constexpr std::uint64_t kLaneSalt = 0x1a9e5;
constexpr std::uint64_t kNodeSalt = 0x40de;
constexpr std::uint64_t kTwinSalt = 0x2e1f;
constexpr std::uint64_t kAgentSalt = 0xa6e27;

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

// Always somebody is told: who is silent on a lane is noticed with the stream, or by the kernel.
void cut_lanes(base::Random& random, Plan& plan) {
  if (plan.lanes == 0 || !random.one_in(3)) return;
  constexpr std::array<Cut, 4> kCuts = {Cut::kReset, Cut::kClosed, Cut::kToldFirst,
                                        Cut::kToldSecond};
  plan.lane_faults.cut = kCuts[random.below(kCuts.size())];
  plan.lane_faults.cut_at = any_point(random, random.one_in(4) ? kHandshakeBytes : kLaneBytes);
  plan.lanes_cut = 1 + static_cast<std::uint32_t>(random.below(kMaxLanesCut));
}

void equip_node(base::Random& random, Plan& plan) {
  plan.introduces = !random.one_in(4);
  plan.tells_agent_away = !random.one_in(4);
  constexpr std::array<Cache, 4> kCaches = {Cache::kNone, Cache::kWorks, Cache::kWorks,
                                            Cache::kFull};
  plan.cache = kCaches[random.below(kCaches.size())];
  constexpr std::array<std::uint64_t, 4> kCredits = {64 << 20, 64 << 20, 256 << 10, 0};
  plan.eager_credit_bytes = kCredits[random.below(kCredits.size())];
}

void add_twins(base::Random& random, Plan& plan) {
  for (std::size_t i = 1; i < plan.links.size(); ++i) {
    Twin& twin = plan.links[i].twin;
    twin.comes = random.one_in(4);
    twin.stale = random.one_in(3);
    twin.late = random.one_in(2);
    twin.stays = random.one_in(2);
  }
}

// Not with a jump of the clock, which would make any absence a long one. A long one costs seconds
// of waiting, so there are few of them.
void kill_agent(base::Random& random, Plan& plan) {
  if (plan.fatal != Fatal::kNone || plan.clock_jump_ns || !random.one_in(6)) return;
  AgentDeath& death = plan.agent_death;
  death.at = any_point(random, kAgentBytes);
  const auto part = [&random](base::Nanoseconds of_ns) {
    return static_cast<base::Nanoseconds>(1 + random.below(static_cast<std::uint64_t>(of_ns)));
  };
  death.cut_when_told =
      plan.tells_agent_away && plan.links.front().faults.cut == Cut::kNone && random.one_in(2);
  const bool is_long = death.cut_when_told && random.one_in(2);
  death.away_ns = is_long ? kLongAwayNs + part(kShortAwayNs) : part(kShortAwayNs);
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
  links.push_back({some_link(random), false, {}});
  lanes = static_cast<std::uint32_t>(random.below(3));
  lane_faults = some_link(random);
  if (random.one_in(6)) {
    clock_jump_ns = static_cast<base::Nanoseconds>(1 + random.below(5000)) * kMillisecond;
    clock_jump_at = any_point(random, kFewBytes);
  }
  steps = 2 + static_cast<unsigned>(random.below(kMaxSteps - 1));
  program_seed = random.u64();
  base::SeededRandom for_lanes(seed ^ kLaneSalt);
  cut_lanes(for_lanes, *this);
  base::SeededRandom for_node(seed ^ kNodeSalt);
  equip_node(for_node, *this);
  base::SeededRandom for_twins(seed ^ kTwinSalt);
  add_twins(for_twins, *this);
  base::SeededRandom for_agent(seed ^ kAgentSalt);
  kill_agent(for_agent, *this);
}

std::string Plan::to_string() const {
  std::string text = "fatal: " + std::string(name_of(fatal)) + "; lanes: " + std::to_string(lanes);
  for (const LinkPlan& one : links) {
    if (one.faults.cut == Cut::kNone) continue;
    text += "; cut (" + std::string(name_of(one.faults.cut)) + ") at " +
            std::to_string(one.faults.cut_at.at_bytes) + " towards " +
            (one.faults.cut_at.towards == 0 ? "client" : "worker");
    if (one.twin.comes) text += ", greets twice";
  }
  if (lanes_cut > 0) {
    text += "; " + std::to_string(lanes_cut) + " lanes cut (" + name_of(lane_faults.cut) + ") at " +
            std::to_string(lane_faults.cut_at.at_bytes);
  }
  if (agent_death.away_ns > 0) {
    text += "; agent away for " + std::to_string(agent_death.away_ns / kMillisecond) + " ms" +
            (tells_agent_away ? ", told" : "");
  }
  if (cache == Cache::kFull) text += "; disk full";
  text += "; credit: " + std::to_string(eager_credit_bytes);
  if (clock_jump_ns) text += "; clock jumps " + std::to_string(*clock_jump_ns) + " ns";
  return text + "; steps: " + std::to_string(steps);
}

}  // namespace longwire::sim
