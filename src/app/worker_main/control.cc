#include "app/worker_main/control.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "app/worker_main/links.h"
#include "base/thread.h"

namespace longwire::app {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::kMillisecond;

namespace {

constexpr uid_t kNobody = static_cast<uid_t>(-1);

// Who has made the other end of a connected unix socket.
uid_t peer_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return kNobody;
  return peer.uid;
}

}  // namespace

Control::Control(const base::Clock& clock, base::Logger& logger, Descriptors its,
                 const session::Adopt& session, worker::core::Worker& worker, Meter& meter)
    : clock_(clock),
      logger_(logger),
      socket_(its.socket),
      door_(session.outlives_agent ? its.door : -1),
      session_(session),
      worker_(worker),
      meter_(meter),
      agent_user_(peer_user(its.socket)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  LW_CHECK(stop_.valid());
}

Control::~Control() {
  ::eventfd_write(stop_.get(), 1);
  if (thread_.joinable()) thread_.join();
  join_handshakes(true);  // each ends within kLinkHandshakeMs
}

void Control::start() {
  stats_at_ns_ = clock_.now_ns() + kStatsEveryMs * kMillisecond;
  thread_ = base::start_thread("lw-control", [this] { run(); });
}

void Control::run() {
  bool agent_lives = true;
  while (true) {
    std::array<pollfd, 3> polled{pollfd{stop_.get(), POLLIN, 0},
                                 pollfd{agent_lives ? socket_ : -1, POLLIN, 0},
                                 pollfd{agent_lives ? -1 : door_, POLLIN, 0}};
    const base::Nanoseconds left_ns = next_deadline().at_ns - clock_.now_ns();
    const auto timeout_ms = std::clamp<base::Nanoseconds>(left_ns / kMillisecond + 1, 0, 60'000);
    ::poll(polled.data(), polled.size(), static_cast<int>(timeout_ms));
    if (polled[0].revents != 0) return;
    if (polled[1].revents != 0 && !take_message()) {
      agent_lives = false;
      on_agent_lost();
    }
    if (polled[2].revents != 0) agent_lives = open_door();
    on_time();
  }
}

Deadline Control::next_deadline() const {
  return {std::min({stats_at_ns_, drain_at_ns_.value_or(stats_at_ns_),
                    tell_away_at_ns_.value_or(stats_at_ns_)})};
}

void Control::on_time() {
  const base::Nanoseconds now_ns = clock_.now_ns();
  if (now_ns >= stats_at_ns_) {
    stats_at_ns_ = now_ns + kStatsEveryMs * kMillisecond;
    // The agent may be gone or slow: the next account, or the last one, says more anyway.
    [[maybe_unused]] const auto sent = session::send_handover(socket_, meter_.stats());
  }
  if (tell_away_at_ns_ && now_ns >= *tell_away_at_ns_) {
    tell_away_at_ns_.reset();
    told_away_ = true;
    worker_.tell_agent_away(kAgentAwayMs);
  }
  if (drain_at_ns_ && now_ns >= *drain_at_ns_) {
    drain_at_ns_.reset();
    worker_.stop(Error(ErrorCode::kUnavailable, "the node is going down"));
  }
}

// Only new links, lanes and the account wait for the next agent. A session of which that would know
// nothing must not go on.
void Control::on_agent_lost() {
  if (door_ < 0) {
    return worker_.stop(Error(ErrorCode::kUnavailable, "the node's agent is gone"));
  }
  worker_.set_reachable(false);
  if ((session_.features & session::kFeatureAgentAway) != 0) {
    tell_away_at_ns_ = clock_.now_ns() + kTellAwayAfterMs * kMillisecond;
  }
}

void Control::on_agent_found() {
  worker_.set_reachable(true);
  stats_at_ns_ = clock_.now_ns();  // what the session has used so far is news to this agent
  tell_away_at_ns_.reset();
  if (std::exchange(told_away_, false)) worker_.tell_agent_away(0);
}

bool Control::open_door() {
  const base::UniqueFd visitor(::accept4(door_, nullptr, nullptr, SOCK_CLOEXEC));
  if (!visitor.valid()) return false;
  auto reclaim = ask_who(visitor.get());
  if (!reclaim) {
    logger_.warning("turned away at the door: " + reclaim.error().message());
    return false;
  }
  // What is printed went to an agent that is no more.
  ::dup2(reclaim->connection.get(), STDERR_FILENO);
  if (::dup3(visitor.get(), socket_, O_CLOEXEC) < 0) return false;
  on_agent_found();
  return true;
}

// Only the node's user can come to the door; whoever knows the secret can read what the agent has
// written down.
base::Result<session::ReceivedHandover> Control::ask_who(int visitor) const {
  const uid_t user = peer_user(visitor);
  if (user != 0 && (user != agent_user_ || user == kNobody)) {
    return Error(ErrorCode::kPermissionDenied, "another user");
  }
  pollfd polled{visitor, POLLIN, 0};
  if (::poll(&polled, 1, kReclaimMs) <= 0) return Error(ErrorCode::kTimeout, "it says nothing");
  LW_ASSIGN(std::optional<session::ReceivedHandover> received, session::receive_handover(visitor));
  const auto* reclaim = received ? std::get_if<session::Reclaim>(&received->message) : nullptr;
  if (reclaim == nullptr || reclaim->secret != session_.reclaim) {
    return Error(ErrorCode::kPermissionDenied, "it does not know the secret");
  }
  return *std::move(received);
}

bool Control::take_message() {
  auto received = session::receive_handover(socket_);
  if (!received) {
    if (received.error().code() != ErrorCode::kClosed) logger_.error(received.error().message());
    return false;
  }
  if (received->has_value()) on_message(*std::move(*received));
  return true;
}

void Control::on_message(session::ReceivedHandover received) {
  if (const auto* drain = std::get_if<session::Drain>(&received.message)) {
    drain_at_ns_ =
        clock_.now_ns() + static_cast<base::Nanoseconds>(drain->within_ms) * kMillisecond;
    return;
  }
  const auto* adopt = std::get_if<session::Adopt>(&received.message);
  if (adopt == nullptr || adopt->purpose == session::Purpose::kNewSession) {
    return logger_.error("a handover message out of turn");
  }
  join_handshakes(false);
  if (handshakes_.size() >= kMaxLinkHandshakes) {
    return logger_.warning("too many links at once: one is turned away");
  }
  // std::function wants to copy its captures, hence the bare descriptor.
  Handshake& handshake = handshakes_.emplace_back();
  handshake.thread = base::start_thread(
      "lw-greet", [this, &handshake, purpose = adopt->purpose, fd = received.connection.release()] {
        greet(purpose, base::UniqueFd(fd));
        handshake.over = true;
      });
}

void Control::join_handshakes(bool all) {
  handshakes_.remove_if([all](Handshake& handshake) {
    if (!all && !handshake.over) return false;
    handshake.thread.join();
    return true;
  });
}

void Control::greet(session::Purpose purpose, base::UniqueFd socket) {
  const Deadline deadline = Deadline::in(clock_, kLinkHandshakeMs * kMillisecond);
  const auto adopt = [&]() -> base::Status {
    LW_ASSIGN(std::unique_ptr<link::Link> link,
              make_session_link(std::move(socket), session_, deadline));
    link = metered(std::move(link), meter_);
    return purpose == session::Purpose::kResume ? resume(std::move(link), deadline)
                                                : adopt_lane(std::move(link), deadline);
  };
  if (auto adopted = adopt(); !adopted) {
    logger_.warning(std::string("a link was refused: ") + adopted.error().message());
  }
}

base::Status Control::adopt_lane(std::unique_ptr<link::Link> link, Deadline deadline) {
  LW_ASSIGN(const session::Hello hello, meet_client(*link, session_, deadline));
  if (hello.purpose != session::Purpose::kLane) {
    return Error(ErrorCode::kWireFault, "Hello does not fit its connection");
  }
  LW_TRY(welcome_client(*link, session_, 0, deadline));
  return worker_.adopt_lane(std::move(link), hello.lane);
}

base::Status Control::resume(std::unique_ptr<link::Link> link, Deadline deadline) {
  LW_ASSIGN(const session::Hello hello, meet_client(*link, session_, deadline));
  if (hello.purpose != session::Purpose::kResume) {
    return Error(ErrorCode::kWireFault, "Hello does not fit its connection");
  }
  const auto received = worker_.meet_again(hello.received);
  if (!received) {
    LW_TRY(refuse_client(*link, Error(ErrorCode::kNotFound, received.error().message()), deadline));
    return received.error();
  }
  LW_TRY(welcome_client(*link, session_, *received, deadline));
  worker_.resume(std::move(link), hello.received);
  return {};
}

}  // namespace longwire::app
