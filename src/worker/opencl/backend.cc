#include "worker/opencl/backend.h"

#include <algorithm>
#include <utility>

#include "opencl/worker_dispatch.h"

namespace longwire::worker::opencl {

Backend::Backend(const NativeApi& api, const core::Services& services, StdoutPipe* output,
                 const std::filesystem::path& build_cache, const SessionLimits& limits)
    : services_(services),
      output_(output),
      state_(std::make_unique<SessionState>(api, services, output, limits)),
      commands_(std::make_unique<Commands>(*state_, build_cache)),
      creation_stall_ns_(limits.creation_stall_ns) {
  state_->on_arrival = [this] {
    if (auto status = run_deferred(); !status.ok()) services_.fail(std::move(status).error());
  };
}

Backend::~Backend() = default;

base::Status Backend::on_command(wire::Opcode opcode, std::span<const std::byte> payload) {
  if (state_->must_wait() || !deferred_.empty()) return defer(opcode, payload);
  return run(opcode, payload);
}

base::Status Backend::run(wire::Opcode opcode, std::span<const std::byte> payload) {
  LW_TRY(dispatch(opcode, payload, *commands_));
  LW_TRY(state_->take_fault());
  // The command has asked for its data and done nothing else: it is run again when that is here.
  if (state_->must_wait()) return defer(opcode, payload);
  return {};
}

base::Status Backend::defer(wire::Opcode opcode, std::span<const std::byte> payload) {
  if (payload.size() > kMaxDeferredBytes - deferred_bytes_)
    return base::Error(base::ErrorCode::kLimit, "too many commands behind data under way");
  deferred_bytes_ += payload.size();
  deferred_.push_back({opcode, {payload.begin(), payload.end()}});
  return {};
}

base::Status Backend::run_deferred() {
  while (!deferred_.empty() && !state_->must_wait()) {
    const Deferred& first = deferred_.front();
    LW_TRY(dispatch(first.opcode, first.payload, *commands_));
    LW_TRY(state_->take_fault());
    if (state_->must_wait()) return {};  // it stays the first
    deferred_bytes_ -= first.payload.size();
    deferred_.pop_front();
  }
  return {};
}

base::Deadline Backend::on_idle() {
  state_->flush_touched();
  Completions& completions = state_->completions;
  if (completions.next_sweep().at_ns <= services_.clock.now_ns()) completions.sweep();
  return {std::min(completions.next_sweep().at_ns, watch_arrivals().at_ns)};
}

base::Deadline Backend::watch_arrivals() {
  if (!state_->must_wait()) {
    stalled_at_ns_.reset();
    return base::Deadline::never();
  }
  const base::Nanoseconds now_ns = services_.clock.now_ns();
  const std::uint64_t progress = services_.uploads.progress();
  if (!stalled_at_ns_ || std::exchange(progress_, progress) != progress) {
    stalled_at_ns_ = now_ns + creation_stall_ns_;
  } else if (now_ns >= *stalled_at_ns_) {
    services_.fail(
        base::Error(base::ErrorCode::kTimeout, "the data of a creation has stopped coming"));
    return base::Deadline::never();
  }
  return {*stalled_at_ns_};
}

bool Backend::shut_down(int timeout_ms) {
  if (output_ != nullptr) output_->stop();
  deferred_.clear();
  commands_->give_up();
  // What still waits for the program's own events will never run.
  state_->table.for_each([this](Object& object) {
    if (object.kind() != Kind::kEvent || object.failed()) return;
    auto& event = static_cast<Event&>(object);
    if (event.is_user) state_->cl().clSetUserEventStatus(event.native, CL_OUT_OF_RESOURCES);
  });
  state_->flush_touched();
  state_->completions.sweep();
  if (!state_->completions.wait_until_idle(timeout_ms)) return false;
  // A lane that has just told the last completion may still hold what it told it of.
  services_.bulk.stop(base::Error(base::ErrorCode::kClosed, "the session ends"));
  state_->completions.drop_orphans();
  commands_->keep_builds();
  state_->table.clear();
  return true;
}

core::Worker::MakeBackend make_backend(const NativeApi& api, StdoutPipe* output,
                                       const std::filesystem::path& build_cache,
                                       const SessionLimits& limits) {
  return [&api, output, build_cache, limits](const core::Services& services) {
    return std::make_unique<Backend>(api, services, output, build_cache, limits);
  };
}

}  // namespace longwire::worker::opencl
