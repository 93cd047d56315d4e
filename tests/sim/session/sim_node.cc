#include "sim_node.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "sim_links.h"

namespace longwire::sim {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using client::core::Connector;
using link::Cut;
using link::Link;

constexpr base::Nanoseconds kGreetTimeoutNs = 2 * base::kSecond;
// A tenth and less of what real workers wait until they tell that their agent is away, and what
// they tell (app/worker_main/control.h).
constexpr std::chrono::milliseconds kTellAwayAfter{5};
constexpr std::uint64_t kAgentAwayMs = 20'000;
// How long a slow greeting lies between its Welcome and the change of links, for others to pass it.
constexpr std::chrono::microseconds kSlowGreeting{1500};

class UnderWay {
 public:
  explicit UnderWay(std::atomic<unsigned>& count) : count_(count) { ++count_; }
  ~UnderWay() { --count_; }

 private:
  std::atomic<unsigned>& count_;
};

class SimConnector final : public Connector {
 public:
  explicit SimConnector(SimNode& node) : node_(node) {}
  Result<Opened> open_session(Deadline) override { return node_.open_session(); }
  Result<Opened> open_lane(const session::Welcome& session, std::uint32_t lane,
                           Deadline deadline) override {
    return node_.open_lane(session, lane, deadline);
  }
  Result<Opened> open_resume(const session::Welcome& session,
                             const std::function<wire::Sequence()>& received,
                             Deadline deadline) override {
    return node_.open_resume(session, received, deadline);
  }
  std::string node_name() const override { return "sim"; }

 private:
  SimNode& node_;
};

}  // namespace

SimNode::SimNode(const Plan& plan, JumpingClock& clock, base::Logger& logger,
                 worker::core::Worker::MakeBackend backend, Bug bug)
    : plan_(plan), clock_(clock), logger_(logger), make_backend_(std::move(backend)), bug_(bug) {}

SimNode::~SimNode() {
  std::list<Helper> helpers;
  {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    helpers.swap(helpers_);
  }
  ends_.notify_all();
  for (Helper& helper : helpers)
    helper.thread.join();
  if (thread_.joinable()) thread_.join();
}

void SimNode::client_has_gone() {
  if (worker_) worker_->stop({ErrorCode::kClosed, "the client has gone"});
}

std::unique_ptr<Connector> SimNode::connector() { return std::make_unique<SimConnector>(*this); }

base::Nanoseconds SimNode::grace_ns() const noexcept {
  return plan_.fatal == Fatal::kGracePasses ? kShortGraceNs : kGraceNs;
}

// On a thread of its own: whoever writes to a link may hold locks.
void SimNode::start(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  helpers_.remove_if([](Helper& helper) {
    if (!helper.over) return false;
    helper.thread.join();
    return true;
  });
  Helper& helper = helpers_.emplace_back();
  helper.thread = std::thread([&helper, work = std::move(work)] {
    work();
    helper.over = true;
  });
}

// --- what befalls the session ---

void SimNode::fate() {
  fatal_happened_ = true;
  if (plan_.fatal == Fatal::kGracePasses) lets_nobody_in_ = true;
  if (plan_.fatal == Fatal::kWorkerGone) gone_ = true;
  if (plan_.fatal == Fatal::kWorkerGone || plan_.fatal == Fatal::kWorkerStops) {
    start([this] { worker_->stop({ErrorCode::kUnavailable, "the worker dies, says the plan"}); });
  }
}

// What its workers do then is in app/worker_main/control.cc.
void SimNode::agent_dies() {
  agent_away_ = true;
  worker_->set_reachable(false);
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::nanoseconds(plan_.agent_death.away_ns);
  const auto over = [this] { return gone_.load(); };
  std::unique_lock lock(mutex_);
  ends_.wait_until(lock, std::min(until, std::chrono::steady_clock::now() + kTellAwayAfter), over);
  const bool tells = plan_.tells_agent_away && std::chrono::steady_clock::now() < until;
  lock.unlock();
  if (tells) worker_->tell_agent_away(bug_ == Bug::kAgentAwayTooShort ? 1 : kAgentAwayMs);
  lock.lock();
  ends_.wait_until(lock, until, over);
  lock.unlock();
  agent_away_ = false;
  worker_->set_reachable(true);
  if (tells) worker_->tell_agent_away(0);
}

link::LinkFaults SimNode::first_faults() {
  link::LinkFaults faults = plan_.links.front().faults;
  if (plan_.clock_jump_ns) {
    faults.traps.push_back({plan_.clock_jump_at, [this] { clock_.jump(*plan_.clock_jump_ns); }});
  }
  if (plan_.agent_death.away_ns > 0) {
    faults.traps.push_back({plan_.agent_death.at, [this] { start([this] { agent_dies(); }); }});
  }
  if (plan_.fatal == Fatal::kNone) return faults;
  const link::LinkFaults::Point when{plan_.fatal_towards, plan_.fatal_at_bytes};
  faults.traps.push_back({when, [this] { fate(); }});
  if (plan_.fatal == Fatal::kGracePasses) {
    faults.cut = Cut::kReset;
    faults.cut_at = when;
  }
  return faults;
}

// --- opening ---

Result<Connector::Opened> SimNode::open_session() {
  auto [ours, theirs] = link::make_faulty_pair(clock_, first_faults());
  worker::core::WorkerLimits limits;
  limits.grace_ns = limits.grace_after_close_ns = grace_ns();
  limits.eager_credit_bytes = plan_.eager_credit_bytes;
  worker_ = std::make_unique<worker::core::Worker>(clock_, logger_, limits, make_backend_);
  if (plan_.introduces) worker_->introduce();
  LW_TRY(worker_->adopt_main(std::move(theirs)));
  thread_ = std::thread([this] { LW_CHECK(worker_->run() != worker::core::ExitCode::kStuck); });
  links_ = 1;
  Opened opened;
  if (plan_.agent_death.cut_when_told) ours = closing_when_agent_is_away(std::move(ours));
  opened.link = std::move(ours);
  opened.welcome.session[0] = 1;
  opened.welcome.features =
      session::kFeatureOpenCl | session::kFeatureLanes | session::kFeatureResume;
  if (plan_.introduces) opened.welcome.features |= session::kFeatureIntroduction;
  if (plan_.tells_agent_away) opened.welcome.features |= session::kFeatureAgentAway;
  opened.welcome.lanes_wanted = plan_.lanes;
  opened.welcome.eager_credit_bytes = limits.eager_credit_bytes;
  opened.welcome.grace_ms = static_cast<std::uint64_t>(grace_ns() / base::kMillisecond);
  opened.welcome.node = "sim";
  return opened;
}

Result<Connector::Opened> SimNode::open_lane(const session::Welcome& session, std::uint32_t lane,
                                             Deadline deadline) {
  if (gone_) return Error(ErrorCode::kNotFound, "no such session");
  if (lets_nobody_in_) return Error(ErrorCode::kUnavailable, "refused, says the plan");
  if (agent_away_) return Error(ErrorCode::kClosed, "nobody listens");
  link::LinkFaults faults = plan_.lane_faults;
  faults.seed += lane;
  if (lane >= plan_.lanes_cut) faults.cut = Cut::kNone;
  Opened opened;
  opened.link = accept(std::move(faults), false, false);
  session::Hello hello;
  hello.purpose = session::Purpose::kLane;
  hello.session = session.session;
  hello.lane = lane;
  LW_ASSIGN(opened.welcome, session::hello_and_welcome(*opened.link, hello, deadline));
  return opened;
}

LinkPlan SimNode::next_plan() {
  const std::size_t index = links_;
  if (index < plan_.links.size()) return plan_.links[index];
  LinkPlan sound = plan_.links.back();
  sound.faults.seed += index;
  return sound;
}

Result<Connector::Opened> SimNode::open_resume(const session::Welcome& session,
                                               const std::function<wire::Sequence()>& received,
                                               Deadline deadline) {
  if (gone_) return Error(ErrorCode::kNotFound, "no such session");
  if (lets_nobody_in_) return Error(ErrorCode::kUnavailable, "refused, says the plan");
  if (agent_away_) return Error(ErrorCode::kClosed, "nobody listens");
  const std::size_t resume = links_ - 1;
  if (resume < plan_.refusals.size() && refused_ < plan_.refusals[resume]) {
    ++refused_;
    return Error(refused_ % 2 == 0 ? ErrorCode::kClosed : ErrorCode::kUnavailable, "not now");
  }
  refused_ = 0;
  const LinkPlan plan = next_plan();
  ++links_;
  if (plan.twin.comes) send_twin(session, received(), plan.twin, deadline);
  Opened opened;
  opened.link = accept(plan.faults, true, plan.handshake_is_cut);
  session::Hello hello;
  hello.purpose = session::Purpose::kResume;
  hello.session = session.session;
  said_before_ = hello.received = received();
  auto welcome = session::hello_and_welcome(*opened.link, hello, deadline);
  if (!welcome.ok()) {
    const bool over = welcome.error().code() == ErrorCode::kNotFound;
    return Error(over ? ErrorCode::kNotFound : ErrorCode::kUnavailable, welcome.error().message());
  }
  opened.welcome = std::move(welcome).value();
  return opened;
}

void SimNode::send_twin(const session::Welcome& session, wire::Sequence received, const Twin& twin,
                        Deadline deadline) {
  std::unique_ptr<Link> link = accept({}, true, twin.late);
  session::Hello hello;
  hello.purpose = session::Purpose::kResume;
  hello.session = session.session;
  hello.received = twin.stale ? said_before_ : received;
  (void)session::send_all(*link, session::encode(hello), deadline);
  if (twin.stays) forgotten_.push_back(std::move(link));
}

// --- the node's side of a handshake, as src/app/worker_main/control.cc has it ---

std::unique_ptr<Link> SimNode::accept(link::LinkFaults faults, bool resumes, bool slow) {
  auto [ours, theirs] = link::make_faulty_pair(clock_, std::move(faults));
  start([this, resumes, slow, end = std::make_shared<std::unique_ptr<Link>>(std::move(theirs))] {
    // A handshake may fail: the plan has cut its link.
    (void)(resumes ? greet_again(std::move(*end), slow) : greet_lane(std::move(*end)));
  });
  return std::move(ours);
}

Status SimNode::greet_lane(std::unique_ptr<Link> link) {
  const Deadline deadline = Deadline::in(clock_, kGreetTimeoutNs);
  LW_ASSIGN(const session::Hello hello, session::receive_hello(*link, deadline));
  LW_TRY(session::send_all(*link, session::encode(session::Welcome{}), deadline));
  const bool breaks = plan_.lane_faults.cut != Cut::kNone && hello.lane < plan_.lanes_cut;
  if (breaks && bug_ == Bug::kKeepsBrokenChunk) link = keeping_broken_chunks(std::move(link));
  return worker_->adopt_lane(std::move(link), hello.lane);
}

Status SimNode::greet_again(std::unique_ptr<Link> link, bool slow) {
  const Deadline deadline = Deadline::in(clock_, kGreetTimeoutNs);
  LW_ASSIGN(const session::Hello hello, session::receive_hello(*link, deadline));
  auto received = worker_->meet_again(hello.received);
  const UnderWay greeting(greetings_);
  if (bug_ == Bug::kRefusesTwins && greetings_ > 1) received = Error(ErrorCode::kNotFound, "twins");
  if (!received) {
    const session::Refusal refusal{ErrorCode::kNotFound, received.error().message()};
    return session::send_all(*link, session::encode(refusal), deadline);
  }
  session::Welcome welcome;
  welcome.received = *received;
  LW_TRY(session::send_all(*link, session::encode(welcome), deadline));
  if (slow) std::this_thread::sleep_for(kSlowGreeting);
  worker_->resume(std::move(link), hello.received);
  return {};
}

}  // namespace longwire::sim
