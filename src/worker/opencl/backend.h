// The OpenCL backend of a worker: executes the commands of api/opencl/messages.toml on a vendor
// driver.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "opencl/native_api.h"
#include "worker/core/worker.h"
#include "worker/opencl/commands.h"
#include "worker/opencl/session_state.h"
#include "worker/opencl/stdout_pipe.h"

namespace longwire::worker::opencl {

// Commands that wait behind a creation whose data is under way.
inline constexpr std::size_t kMaxDeferredBytes = std::size_t{256} << 20;

class Backend final : public core::Backend {
 public:
  // `api` and `services` outlive it. `output` may be null: then kernels print where they like.
  // Without a folder no builds are cached.
  Backend(const NativeApi& api, const core::Services& services, StdoutPipe* output,
          const std::filesystem::path& build_cache, const SessionLimits& limits);
  ~Backend() override;

  void introduce() override { commands_->introduce(); }
  base::Status on_command(wire::Opcode opcode, std::span<const std::byte> payload) override;
  base::Deadline on_idle() override;
  bool shut_down(int timeout_ms) override;
  base::Nanoseconds busy_ns() override { return state_->completions.busy_ns(); }

 private:
  struct Deferred {
    wire::Opcode opcode;
    std::vector<std::byte> payload;
  };
  base::Status run(wire::Opcode opcode, std::span<const std::byte> payload);
  base::Status defer(wire::Opcode opcode, std::span<const std::byte> payload);
  base::Status run_deferred();
  // Ends the session where the data of a creation has stopped coming. Returns when to look again.
  base::Deadline watch_arrivals();

  const core::Services& services_;
  StdoutPipe* const output_;
  std::unique_ptr<SessionState> state_;
  std::unique_ptr<Commands> commands_;
  std::deque<Deferred> deferred_;
  std::size_t deferred_bytes_ = 0;
  const base::Nanoseconds creation_stall_ns_;
  std::optional<base::Nanoseconds> stalled_at_ns_;  // while a creation waits
  std::uint64_t progress_ = 0;                      // of the uploads, when last looked at
};

// The factory for core::Worker.
core::Worker::MakeBackend make_backend(const NativeApi& api, StdoutPipe* output,
                                       const std::filesystem::path& build_cache = {},
                                       const SessionLimits& limits = {});

}  // namespace longwire::worker::opencl
