#include "node/sessions.h"

#include <signal.h>

#include <algorithm>

#include "node/sessions_live.h"
#include "session/device_list.h"
#include "wire/frame.h"

namespace longwire::node {

using base::Error;
using base::ErrorCode;
using base::LogLevel;
using base::Status;
using session::SessionId;

namespace {

std::uint64_t offered_features(const LimitsConfig& limits) {
  std::uint64_t features =
      session::kFeatureOpenCl | session::kFeatureLanes | session::kFeatureIntroduction;
  if (limits.grace_ms > 0) features |= session::kFeatureResume | session::kFeatureAgentAway;
  return features;
}

// A grant can give less than the node allows, not more.
session::SessionLimits limits_for(const NewSession& wanted, const LimitsConfig& limits) {
  session::SessionLimits its{limits.session_memory_bytes, limits.session_handles, {}};
  if (!wanted.grant) return its;
  const std::uint64_t granted = wanted.grant->memory_bytes;
  if (granted != 0 && (its.memory_bytes == 0 || granted < its.memory_bytes)) {
    its.memory_bytes = granted;
  }
  its.devices = wanted.grant->devices;
  return its;
}

std::string joined(const std::vector<std::string>& devices) {
  std::string text;
  for (const std::string& device : devices)
    text += (text.empty() ? "" : ",") + device;
  return text.empty() ? "all" : text;
}

session::Adopt adopt_message(const NewSession& wanted, const session::Welcome& welcome,
                             const LimitsConfig& limits) {
  session::Adopt adopt;
  adopt.purpose = session::Purpose::kNewSession;
  adopt.encrypted = wanted.encrypted;
  adopt.session = welcome.session;
  adopt.secret = welcome.secret;
  adopt.version = welcome.version;
  adopt.features = welcome.features;
  adopt.lanes = welcome.lanes_wanted;
  adopt.max_payload_bytes = welcome.max_payload_bytes;
  adopt.eager_credit_bytes = welcome.eager_credit_bytes;
  adopt.grace_ms = welcome.grace_ms;
  adopt.grace_after_close_ms = limits.grace_after_close_ms;
  adopt.limits = limits_for(wanted, limits);
  adopt.tenant = welcome.tenant;
  adopt.node = welcome.node;
  adopt.peer = wanted.peer;
  adopt.program = wanted.program;
  return adopt;
}

}  // namespace

Sessions::Sessions(asio::io_context& io, const base::Clock& clock, base::Random& random,
                   Journal& journal, Audit& audit, const NodeConfig& config, WorkerCommand worker)
    : io_(io),
      clock_(clock),
      random_(random),
      journal_(journal),
      audit_(audit),
      config_(config),
      command_(std::move(worker)),
      drain_timer_(io) {}

Sessions::~Sessions() = default;

// --- opening ---

std::optional<SessionId> Sessions::open(NewSession wanted, Opened opened) {
  if (auto room = check_room(wanted.tenant); !room) {
    opened(std::move(room).error());
    return std::nullopt;
  }
  auto worker = take_worker();
  if (!worker) {
    opened(std::move(worker).error());
    return std::nullopt;
  }
  auto live = std::make_unique<Live>(io_);
  live->welcome = welcome_for(wanted);
  live->wanted = std::move(wanted);
  live->opened = std::move(opened);
  live->began_at_ns = clock_.now_ns();
  Live& placed = *live;
  const SessionId id = placed.welcome.session;
  sessions_.emplace(id, std::move(live));
  assign(placed, *std::move(worker));
  return id;
}

base::Result<Sessions::Spare> Sessions::take_worker() {
  if (!spares_.empty()) {
    Spare spare = std::move(spares_.front());
    spares_.pop_front();
    return spare;
  }
  LW_ASSIGN(std::unique_ptr<WorkerProcess> worker, spawn());
  return Spare{std::move(worker), false};
}

Status Sessions::check_room(const std::string& tenant) const {
  if (draining_) return Error(ErrorCode::kUnavailable, "the node is going down");
  if (sessions_.size() >= config_.limits.sessions) {
    return Error(ErrorCode::kLimit, "the node has no room for another session (limits.sessions)");
  }
  const auto of_tenant = std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& item) {
    return item.second->welcome.tenant == tenant;
  });
  if (of_tenant >= config_.limits.sessions_per_tenant) {
    return Error(ErrorCode::kLimit,
                 "too many sessions of tenant '" + tenant + "' (limits.sessions_per_tenant)");
  }
  return {};
}

session::Welcome Sessions::welcome_for(const NewSession& wanted) {
  const LimitsConfig& limits = config_.limits;
  session::Welcome welcome;
  welcome.version = wanted.version;
  welcome.features = wanted.features & offered_features(limits);
  random_.fill(std::as_writable_bytes(std::span(welcome.session)));
  if (wanted.encrypted) random_.fill(std::as_writable_bytes(std::span(welcome.secret)));
  const bool lanes = (welcome.features & session::kFeatureLanes) != 0;
  welcome.lanes_wanted = lanes ? limits.lanes : 0;
  welcome.max_payload_bytes =
      std::min<std::uint32_t>(wanted.max_payload_bytes, wire::kMaxPayloadBytes);
  welcome.eager_credit_bytes = limits.eager_credit_bytes;
  welcome.grace_ms = limits.grace_ms;
  welcome.tenant = wanted.tenant;
  welcome.node = config_.name;
  welcome.software = "longwire " LONGWIRE_VERSION;
  return welcome;
}

base::Result<std::unique_ptr<WorkerProcess>> Sessions::spawn() {
  auto spawned = spawn_worker(command_);
  if (!spawned) {
    journal_.event(LogLevel::kError, "worker.failed", {{"error", spawned.error().message()}});
    return Error(ErrorCode::kUnavailable, "the node cannot start a worker");
  }
  return std::make_unique<WorkerProcess>(io_, journal_, *std::move(spawned));
}

void Sessions::assign(Live& live, Spare spare) {
  live.worker = std::move(spare.worker);
  listen_to(live);
  arm_start_timer(live);
  start_spares();
  if (spare.ready) on_ready(live, "");
}

void Sessions::listen_to(Live& live) {
  live.worker->set_label(session_name(live.welcome.session));
  live.worker->listen({[this, &live](const auto& message) { on_message(live, message); },
                       [this, &live](WaitStatus status) { on_exit(live, status); }});
}

void Sessions::arm_start_timer(Live& live) {
  // On its way to adoption, first the worker, then the client has this long.
  live.start_timer.expires_after(std::chrono::milliseconds(config_.limits.worker_start_timeout_ms));
  live.start_timer.async_wait([this, id = live.welcome.session](asio::error_code error) {
    if (!error) abandon(id);
  });
}

void Sessions::on_ready(Live& live, const std::string& detail) {
  if (!detail.empty()) {
    journal_.event(LogLevel::kDebug, "worker.ready",
                   {{"session", session_name(live.welcome.session)}, {"detail", detail}});
  }
  if (!live.opened) return;
  if (!audit_begin(live)) {
    live.worker->kill(SIGKILL);
    return fail_opening(live,
                        Error(ErrorCode::kUnavailable, "the node cannot write its audit log"));
  }
  const Opened opened = std::exchange(live.opened, nullptr);
  opened(live.welcome);
}

// Before the client hears of it: what is not on record must not begin, if the operator says so.
bool Sessions::audit_begin(Live& live) {
  const bool written =
      audit_.write("session.begin", {{"session", session_name(live.welcome.session)},
                                     {"tenant", live.welcome.tenant},
                                     {"client", live.wanted.client},
                                     {"key", live.wanted.key},
                                     {"peer", live.wanted.peer},
                                     {"program", live.wanted.program},
                                     {"encrypted", live.wanted.encrypted ? 1 : 0}});
  if (live.wanted.grant) {
    const Grant& grant = *live.wanted.grant;
    audit_.write("session.grant", {{"session", session_name(live.welcome.session)},
                                   {"issuer", grant.issuer},
                                   {"token", grant.id},
                                   {"epoch", grant.epoch},
                                   {"devices", joined(grant.devices)},
                                   {"memory_bytes", grant.memory_bytes},
                                   {"share_permille", grant.share_permille}});
  }
  live.audited = written || !audit_.required();
  return live.audited;
}

Status Sessions::adopt(const SessionId& id, int connection) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second->adopted) {
    return Error(ErrorCode::kUnavailable, "the worker has ended");
  }
  Live& live = *found->second;
  session::Adopt message = adopt_message(live.wanted, live.welcome, config_.limits);
  message.outlives_agent = put_on_record(live);
  message.reclaim = live.reclaim;
  LW_TRY(live.worker->send(message, connection));
  live.adopted = true;
  live.start_timer.cancel();
  log_start(live);
  return {};
}

void Sessions::abandon(const SessionId& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second->adopted) return;
  found->second->worker->kill(SIGKILL);
}

Status Sessions::may_join(const SessionId& id, const std::string& origin) const {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || !found->second->adopted ||
      !found->second->ended_because.empty()) {
    return Error(ErrorCode::kNotFound, "no such session");
  }
  if (found->second->wanted.origin == origin) return {};
  return Error(ErrorCode::kPermissionDenied, "the session is somebody else's");
}

Status Sessions::route(session::Purpose purpose, const SessionId& id, const std::string& peer,
                       int connection) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || !found->second->adopted) {
    return Error(ErrorCode::kNotFound, "no such session");
  }
  session::Adopt adopt;
  adopt.purpose = purpose;
  adopt.encrypted = found->second->wanted.encrypted;
  adopt.session = id;
  adopt.peer = peer;
  return found->second->worker->send(adopt, connection);
}

// --- running and ending ---

void Sessions::on_message(Live& live, const session::HandoverMessage& message) {
  if (const auto* ready = std::get_if<session::Ready>(&message))
    return on_ready(live, ready->detail);
  if (const auto* stats = std::get_if<session::Stats>(&message)) {
    live.take(*stats, clock_.now_ns());
  } else if (const auto* ended = std::get_if<session::Ended>(&message)) {
    live.take(ended->stats, clock_.now_ns());
    live.ended = *ended;
  } else {
    live.worker->kill(SIGKILL);  // a worker has no business sending this
  }
}

void Sessions::on_exit(Live& live, WaitStatus status) {
  if (live.opened) {
    fail_opening(live, live.ended_because.empty()
                           ? Error(ErrorCode::kUnavailable, "the node cannot start a worker (it " +
                                                                describe_exit(status) + ")")
                           : Error(ErrorCode::kUnauthenticated, live.ended_because));
  }
  live.unseen = !status && !live.ended && live.stats_at_ns == 0 && live.ended_because.empty();
  if (live.unseen)
    live.ended_because = "it has ended as this agent came, which has not heard of it";
  log_end(live, status);
  ++ended_;
  of_ended_.bytes_in += live.stats.bytes_in;
  of_ended_.bytes_out += live.stats.bytes_out;
  of_ended_.commands += live.stats.commands;
  of_ended_.device_ns += live.stats.device_ns;
  sessions_.erase(SessionId(live.welcome.session));  // destroys `live`
  check_drained();
}

void Sessions::fail_opening(Live& live, Error why) {
  const Opened opened = std::exchange(live.opened, nullptr);
  opened(std::move(why));
}

// --- spare workers ---

void Sessions::start_spares() {
  while (!draining_ && spares_.size() < config_.worker.spares &&
         spare_failures_ < kMaxSpareFailures) {
    start_spare();
  }
}

void Sessions::start_spare() {
  auto spawned = spawn();
  if (!spawned) {
    ++spare_failures_;
    return;
  }
  WorkerProcess* worker = spawned->get();
  spares_.push_back({*std::move(spawned), false});
  worker->set_label("spare");
  worker->listen({[this, worker](const session::HandoverMessage& message) {
                    for (Spare& spare : spares_) {
                      if (spare.worker.get() != worker) continue;
                      spare.ready = std::holds_alternative<session::Ready>(message);
                    }
                    spare_failures_ = 0;
                  },
                  [this, worker](WaitStatus status) { on_spare_exit(worker, status); }});
}

void Sessions::on_spare_exit(WorkerProcess* worker, WaitStatus status) {
  journal_.event(LogLevel::kWarning, "worker.spare_ended",
                 {{"pid", worker->pid()}, {"reason", describe_exit(status)}});
  ++spare_failures_;
  std::erase_if(spares_, [worker](const Spare& spare) { return spare.worker.get() == worker; });
  start_spares();
}

// --- the end ---

void Sessions::fence(const std::string& tenant, const Grant& grant) {
  end_where([&](const NewSession& older) -> std::string {
    const bool same = older.grant && older.grant->issuer == grant.issuer &&
                      older.tenant == tenant &&
                      session::devices_overlap(older.grant->devices, grant.devices);
    if (!same || older.grant->epoch >= grant.epoch) return "";
    return "a token of a newer epoch has taken its place";
  });
}

void Sessions::end_where(const std::function<std::string(const NewSession&)>& why) {
  for (auto& [id, live] : sessions_) {
    if (!live->ended_because.empty()) continue;
    live->ended_because = why(live->wanted);
    if (!live->ended_because.empty()) live->worker->kill(SIGKILL);
  }
}

void Sessions::drain(std::uint32_t within_ms, std::function<void()> drained) {
  draining_ = true;
  drained_ = std::move(drained);
  spares_.clear();
  for (auto& [id, live] : sessions_) {
    if (!live->worker->send(session::Drain{within_ms})) live->worker->kill(SIGKILL);
  }
  // Workers end their sessions by themselves, with a word to the client; killing is for the rest.
  drain_timer_.expires_after(std::chrono::milliseconds(within_ms + kKillAfterDrainMs));
  drain_timer_.async_wait([this](asio::error_code error) {
    if (!error) kill_all();
  });
  check_drained();
}

void Sessions::kill_all() {
  for (auto& [id, live] : sessions_) {
    if (live->ended_because.empty() && live->ended) {  // its process takes longer than its session
      live->ended_because = live->ended->reason;
      live->ended_as = base::name_of(live->ended->code);
    } else if (live->ended_because.empty()) {
      live->ended_because =
          "the node went down before the session had ended; its worker did not in time, and was "
          "killed";
      live->ended_as = base::name_of(ErrorCode::kUnavailable);
    }
    live->worker->kill(SIGKILL);
  }
}

void Sessions::check_drained() {
  if (!draining_ || !sessions_.empty() || !drained_) return;
  drain_timer_.cancel();
  const auto drained = std::exchange(drained_, nullptr);
  drained();
}

}  // namespace longwire::node
