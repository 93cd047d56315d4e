#include "link/sim/sim_network.h"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/check.h"
#include "link/sim/sim_link.h"

namespace longwire::link {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Nanoseconds;

namespace {

constexpr Nanoseconds kNever = std::numeric_limits<Nanoseconds>::max();

struct Actor {
  std::function<void()> body;
  std::thread thread;
  std::condition_variable resumed;
  const std::function<bool()>* condition = nullptr;  // null: can run
  Nanoseconds deadline = kNever;
  bool finished = false;
};

}  // namespace

// Whoever holds the baton may touch anything here; the mutex only hands the baton over. The actor
// that blocks does the scheduling and wakes the next one itself, so that a step costs one switch of
// threads, or none.
struct SimNetwork::State {
  explicit State(std::uint64_t seed) : random(seed) {}

  void run_actor(Actor& actor);
  Actor* next_actor();
  Actor* pick_runnable();
  bool all_finished() const;
  bool advance_time();
  bool can_run(const Actor& actor) const;
  void pass_baton_to(Actor* actor);  // REQUIRES: mutex

  base::SeededRandom random;
  Nanoseconds now = 0;
  Nanoseconds time_limit = 0;
  bool given_up = false;
  std::multimap<Nanoseconds, std::function<void()>> events;
  std::vector<std::unique_ptr<Actor>> actors;

  std::mutex mutex;
  std::condition_variable all_done;
  Actor* running = nullptr;  // who has the baton; null: run(), or nobody
};

SimNetwork::SimNetwork(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {}

SimNetwork::~SimNetwork() {
  for (const auto& actor : state_->actors)
    LW_CHECK(actor->finished);
  for (const auto& actor : state_->actors) {
    if (actor->thread.joinable()) actor->thread.join();
  }
}

Nanoseconds SimNetwork::now_ns() const noexcept { return state_->now; }
base::Random& SimNetwork::random() noexcept { return state_->random; }
bool SimNetwork::given_up() const noexcept { return state_->given_up; }

std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> SimNetwork::connect(
    const SimProfile& profile) {
  return make_sim_links(*this, profile);
}

void SimNetwork::at(Nanoseconds when_ns, std::function<void()> event) {
  state_->events.emplace(std::max(when_ns, state_->now), std::move(event));
}

void SimNetwork::spawn(std::function<void()> body) {
  state_->actors.push_back(std::make_unique<Actor>());
  state_->actors.back()->body = std::move(body);
}

// --- the scheduler ---

base::Status SimNetwork::run(Nanoseconds time_limit_ns) {
  State& s = *state_;
  s.time_limit = s.now + time_limit_ns;
  std::unique_lock lock(s.mutex);
  if (Actor* first = s.next_actor()) {
    s.pass_baton_to(first);
    s.all_done.wait(lock, [&] { return s.running == nullptr; });
  }
  if (!s.given_up) return {};
  return Error(ErrorCode::kInternal, "the simulation was given up after " + std::to_string(s.now) +
                                         " ns: everybody waits");
}

// The next to run, after moving the time if need be; null when all have finished.
Actor* SimNetwork::State::next_actor() {
  for (;;) {
    if (Actor* actor = pick_runnable()) return actor;
    if (all_finished()) return nullptr;
    if (!advance_time()) given_up = true;  // now every wait returns
  }
}

bool SimNetwork::State::all_finished() const {
  return std::ranges::all_of(actors,
                             [](const std::unique_ptr<Actor>& actor) { return actor->finished; });
}

bool SimNetwork::State::can_run(const Actor& actor) const {
  if (actor.finished) return false;
  return actor.condition == nullptr || given_up || actor.deadline <= now || (*actor.condition)();
}

Actor* SimNetwork::State::pick_runnable() {
  std::vector<Actor*> runnable;
  for (const auto& actor : actors) {
    if (can_run(*actor)) runnable.push_back(actor.get());
  }
  return runnable.empty() ? nullptr : runnable[random.below(runnable.size())];
}

// To the next event or deadline. False: there is none.
bool SimNetwork::State::advance_time() {
  Nanoseconds next = events.empty() ? kNever : events.begin()->first;
  for (const auto& actor : actors) {
    if (!actor->finished) next = std::min(next, actor->deadline);
  }
  if (next == kNever || next > time_limit) return false;
  now = std::max(now, next);
  while (!events.empty() && events.begin()->first <= now) {
    const auto event = std::move(events.begin()->second);
    events.erase(events.begin());
    event();
  }
  return true;
}

void SimNetwork::State::pass_baton_to(Actor* actor) {
  running = actor;
  if (actor == nullptr) {
    all_done.notify_one();
  } else if (actor->thread.joinable()) {
    actor->resumed.notify_one();
  } else {
    actor->thread = std::thread([this, actor] { run_actor(*actor); });
  }
}

void SimNetwork::State::run_actor(Actor& actor) {
  { const std::lock_guard wait_until_passed(mutex); }
  actor.body();
  std::unique_lock lock(mutex);
  actor.finished = true;
  pass_baton_to(next_actor());
}

bool SimNetwork::block_until(const std::function<bool()>& condition, Deadline deadline) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  Actor* self = s.running;
  LW_CHECK(self != nullptr && self->thread.get_id() == std::this_thread::get_id());
  self->condition = &condition;
  self->deadline = deadline.at_ns;
  if (Actor* next = s.next_actor(); next != self) {
    s.pass_baton_to(next);
    self->resumed.wait(lock, [&] { return s.running == self; });
  }
  self->condition = nullptr;
  self->deadline = kNever;
  return condition();
}

}  // namespace longwire::link
