#include "planted.h"

#include <array>
#include <utility>
#include <vector>

#include "base/random.h"
#include "opencl/messages.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::sim {
namespace {

using base::Status;
using worker::core::Backend;

constexpr std::uint64_t kOneIn = 20;

struct Named {
  std::string_view name;
  Bug bug;
  wire::Opcode opcode;  // of the commands that it befalls
};
constexpr wire::Opcode kNoCommand = 0;
constexpr std::array<Named, 9> kBugs = {{
    {"runs-twice", Bug::kRunsTwice, opencl::msg::EnqueueNDRangeKernel::kOpcode},
    {"skips-launch", Bug::kSkipsLaunch, opencl::msg::EnqueueNDRangeKernel::kOpcode},
    {"skips-copy", Bug::kSkipsCopy, opencl::msg::EnqueueCopyBuffer::kOpcode},
    {"forgets-reply", Bug::kForgetsReply, opencl::msg::Finish::kOpcode},
    {"hides-failure", Bug::kHidesFailure, opencl::msg::CreateBuffer::kOpcode},
    {"needs-cache", Bug::kNeedsCache, opencl::msg::BuildProgram::kOpcode},
    {"keeps-broken-chunk", Bug::kKeepsBrokenChunk, kNoCommand},
    {"refuses-twins", Bug::kRefusesTwins, kNoCommand},
    {"agent-away-too-short", Bug::kAgentAwayTooShort, kNoCommand},
}};

class BuggyBackend final : public Backend {
 public:
  BuggyBackend(std::unique_ptr<Backend> backend, const Named& bug, const Plan& plan)
      : backend_(std::move(backend)), bug_(bug), plan_(plan), random_(plan.seed) {}

  Status on_command(wire::Opcode opcode, std::span<const std::byte> payload) override {
    if (opcode == bug_.opcode && bug_.bug == Bug::kHidesFailure) return enlarge(payload);
    if (opcode == bug_.opcode && bug_.bug == Bug::kNeedsCache && plan_.cache == Cache::kFull) {
      return base::Error(base::ErrorCode::kLimit, "no space left on device");
    }
    if (opcode != bug_.opcode || bug_.bug == Bug::kNeedsCache || !random_.one_in(kOneIn) ||
        is_awaited(opcode, payload)) {
      return backend_->on_command(opcode, payload);
    }
    if (bug_.bug != Bug::kRunsTwice) return {};
    LW_TRY(backend_->on_command(opcode, payload));
    return backend_->on_command(opcode, payload);
  }
  void introduce() override { backend_->introduce(); }
  base::Deadline on_idle() override { return backend_->on_idle(); }
  bool shut_down(int timeout_ms) override { return backend_->shut_down(timeout_ms); }
  base::Nanoseconds busy_ns() override { return backend_->busy_ns(); }

 private:
  // A buffer a little larger than the one that cannot be had.
  Status enlarge(std::span<const std::byte> payload) {
    wire::Reader in(payload);
    opencl::msg::CreateBuffer create;
    decode(in, create);
    if (create.size != kUnluckyBytes) return backend_->on_command(create.kOpcode, payload);
    create.size += sizeof(std::uint64_t);
    std::vector<std::byte> larger(encoded_size(create));
    wire::Writer out(larger);
    encode(out, create);
    return backend_->on_command(create.kOpcode, larger);
  }
  // A launch whose event somebody waits for would be found by that alone.
  static bool is_awaited(wire::Opcode opcode, std::span<const std::byte> payload) {
    if (opcode != opencl::msg::EnqueueNDRangeKernel::kOpcode) return false;
    wire::Reader in(payload);
    opencl::msg::EnqueueNDRangeKernel launch;
    decode(in, launch);
    return launch.event != 0;
  }

  const std::unique_ptr<Backend> backend_;
  const Named bug_;
  const Plan& plan_;
  base::SeededRandom random_;
};

}  // namespace

std::optional<Bug> bug_named(std::string_view name) {
  for (const Named& one : kBugs)
    if (one.name == name) return one.bug;
  return std::nullopt;
}

worker::core::Worker::MakeBackend with_bug(worker::core::Worker::MakeBackend make, Bug bug,
                                           const Plan& plan) {
  for (const Named& one : kBugs) {
    if (one.bug != bug || one.opcode == kNoCommand) continue;
    return [make = std::move(make), one, &plan](const worker::core::Services& services) {
      return std::make_unique<BuggyBackend>(make(services), one, plan);
    };
  }
  return make;
}

}  // namespace longwire::sim
