#include "worker/core/worker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "wire/reader.h"

namespace longwire::worker::core {

Worker::Worker(const base::Clock& clock, base::Logger& logger, const WorkerLimits& limits,
               const MakeBackend& make_backend)
    : clock_(clock),
      logger_(logger),
      limits_(limits),
      stream_(clock, limits.stream, *this),
      bulk_(clock, stream_,
            limits.grace_ns > 0 ? session::LaneLoss::kIsRepaired : session::LaneLoss::kEndsSession),
      outbox_(stream_, logger, clock),
      staging_(limits.staging_bytes),
      uploads_(outbox_, bulk_, staging_, limits.eager_credit_bytes),
      services_{clock,
                logger,
                outbox_,
                bulk_,
                staging_,
                uploads_,
                mirrors_,
                [this](std::function<void()> task) { post(std::move(task)); },
                [this](base::Error why) { stop(std::move(why)); },
                [this] {
                  const std::lock_guard lock(mutex_);
                  return stopped_.has_value();
                }},
      backend_(make_backend(services_)) {
  stream_.set_waiter(&waiter_);
  bulk_.confirm_promptly();
  stream_.set_link_lost_handler([this](const auto& loss) { return on_link_lost(loss); });
}

Worker::~Worker() {
  const base::Error why(base::ErrorCode::kClosed, "the worker ends");
  stream_.shut_down(why);
  uploads_.shut_down(why);
  bulk_.stop(why);  // lanes give blocks back to the staging memory, and call the backend
}

void Worker::introduce() { backend_->introduce(); }

base::Status Worker::adopt_main(std::unique_ptr<link::Link> link) {
  LW_TRY(stream_.attach(std::move(link), 0));
  return stream_.flush();  // the introduction
}

base::Result<wire::Sequence> Worker::meet_again(wire::Sequence peer_received) const {
  if (stream_.ended()) return stream_.why_ended();
  LW_TRY(stream_.check_received(peer_received));
  return stream_.received();
}

void Worker::resume(std::unique_ptr<link::Link> link, wire::Sequence peer_received) {
  stream_.offer(std::move(link), peer_received);
}

// Frames that are under way go on; so does the dispatch thread, whose pump() waits for a link.
base::Result<base::Deadline> Worker::on_link_lost(const session::Stream::LinkLoss& loss) {
  const base::Nanoseconds grace_ns =
      loss.closed_by_peer && reachable_ ? limits_.grace_after_close_ns : limits_.grace_ns;
  if (grace_ns <= 0) return loss.why;
  logger_.info("link lost: " + loss.why.to_string());
  return base::Deadline::in(clock_, grace_ns);
}

base::Status Worker::adopt_lane(std::unique_ptr<link::Link> lane, std::uint32_t number) {
  return bulk_.add_lane(std::move(lane), number);
}

void Worker::stop(base::Error why) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_) stopped_ = std::move(why);
  }
  stream_.wake();
}

void Worker::set_reachable(bool reachable) {
  reachable_ = reachable;
  if (!reachable) return;
  // Who has been waiting to come back comes now.
  post(
      [this] { stream_.expect_link_by(base::Deadline::in(clock_, limits_.grace_after_close_ns)); });
}

void Worker::tell_agent_away(std::uint64_t within_ms) {
  post([this, within_ms] {
    outbox_.turn().agent_away(within_ms);
    outbox_.flush();
  });
}

void Worker::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  stream_.wake();
}

void Worker::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks)
    task();
}

ExitCode Worker::run() {
  waiter_.set_dispatch_thread(stream_);
  outbox_.set_dispatch_thread();
  auto next = base::Deadline::never();
  for (;;) {
    const auto pumped = stream_.pump({std::min(next.at_ns, outbox_.before_wait().at_ns)});
    if (!pumped.ok()) return end(pumped.error());
    waiter_.notify();
    outbox_.drain();
    run_posted();
    next = backend_->on_idle();
    outbox_.flush();
    const std::lock_guard lock(mutex_);
    if (goodbye_ || stopped_) break;
  }
  if (goodbye_) return end(base::Error(base::ErrorCode::kClosed, "the client said goodbye"));
  stream_.tell_and_shut_down(*stopped_);
  return end(*stopped_);
}

ExitCode Worker::end(const base::Error& why) {
  logger_.info("session ends: " + why.to_string());
  stream_.shut_down(why);
  uploads_.shut_down(why);  // first: a lane may be waiting for a ring block
  bulk_.shut_down(why);
  staging_.stop();
  const bool abandoned = why.code() == base::ErrorCode::kLinkLost;
  const int timeout_ms = abandoned ? std::min(limits_.free_timeout_ms, kAbandonedFreeTimeoutMs)
                                   : limits_.free_timeout_ms;
  const bool idle = mirrors_.stop(timeout_ms);
  const bool freed = backend_->shut_down(timeout_ms) && idle;
  if (!freed) {
    logger_.warning("the vendor driver did not let go in time; the process ends instead");
    return ExitCode::kStuck;
  }
  switch (why.code()) {
    case base::ErrorCode::kWireFault:
    case base::ErrorCode::kLimit:
      return ExitCode::kFault;
    case base::ErrorCode::kLinkLost:
      return ExitCode::kLinkLost;
    default:
      return services_.stopped() && !goodbye_ ? ExitCode::kStopped : ExitCode::kEnded;
  }
}

base::Status Worker::on_frame(const session::Frame& frame) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return *stopped_;
  }
  if (goodbye_) return {};
  if (frame.opcode >= wire::kFirstCommand) {
    if (outbox_.too_much_aside()) outbox_.drain();
    outbox_.flush_overdue();
    return backend_->on_command(frame.opcode, frame.payload);
  }
  return on_control(frame);
}

base::Status Worker::on_control(const session::Frame& frame) {
  wire::Reader in(frame.payload);
  switch (frame.opcode) {
    case wire::kOpGoodbye:
      goodbye_ = true;
      return {};
    case wire::kOpBulkData:
      return bulk_.on_stream_chunk(frame.payload);
    case wire::kOpLaneReceived:
      return bulk_.on_lane_received(frame.payload);
    case wire::kOpBulkAbort: {
      const auto transfer = in.u64("transfer");
      LW_TRY(in.finish());
      uploads_.abort(transfer);
      return {};
    }
    // Downloads are sent as soon as their bytes exist: the client announced their place before.
    case wire::kOpBulkGrant:
    case wire::kOpBulkCredit:
    // The stream's own.
    case wire::kOpAck:
    case wire::kOpPing:
    case wire::kOpPong:
    case wire::kOpFault:
      return {};
    default:
      return base::Error(base::ErrorCode::kWireFault,
                         "unexpected opcode " + std::to_string(frame.opcode));
  }
}

}  // namespace longwire::worker::core
