#include "softcuda/machine/externals.h"

#include <cstring>
#include <string>

#include "softcuda/machine/format.h"
#include "softcuda/machine/run_twice.h"

namespace longwire::softcuda::machine::externals {
namespace {

constexpr std::uint64_t kMaxStringBytes = 64 << 10;  // of a format, or of a %s

// Device memory as the lane sees it. A fault does not return, so nothing that owns memory may be
// alive across a read that can fail.
struct LaneMemory {
  const Call& call;

  const std::byte* at(std::uint64_t address, std::uint32_t bytes) const {
    return call.warp.at(ir::Space::kGeneric, call.lane, address, bytes, Access::kRead, call.place);
  }
  // The length of a string, or a fault.
  std::uint64_t length(std::uint64_t address) const {
    std::uint64_t length = 0;
    while (length < kMaxStringBytes && *at(address + length, 1) != std::byte{0})
      ++length;
    return length;
  }
  std::string_view string(std::uint64_t address) const {
    const std::uint64_t bytes = length(address);
    return {reinterpret_cast<const char*>(address), bytes};
  }
};

std::uint64_t print(const Call& call, std::uint64_t format_address, std::uint64_t arguments) {
  const LaneMemory memory{call};
  const std::string_view format = memory.string(format_address);
  FormatReader reader{
      [&](std::uint64_t at, std::uint32_t bytes) { return memory.at(arguments + at, bytes); },
      [&](std::uint64_t address) { return memory.string(address); }};
  check_format(format, reader);  // after which no read fails
  const FormatResult result = format_text(format, reader);
  call.block.print(result.text);
  return result.arguments;
}

std::uint64_t allocate(const Call& call, std::uint64_t bytes) {
  auto address = call.block.services().memory->allocate(bytes, MemoryKind::kHeap);
  if (!address.ok()) return 0;
  if (Replay* replay = call.block.grid().replay) replay->allocated.push_back(*address);
  return *address;
}

void release(const Call& call, std::uint64_t address) {
  if (address == 0) return;
  Memory& memory = *call.block.services().memory;
  const auto allocation = memory.find(address);
  Replay* replay = call.block.grid().replay;
  const bool ours =
      allocation && allocation->address == address && allocation->kind == MemoryKind::kHeap &&
      (replay != nullptr ? replay->freed.insert(address).second : memory.release(address).ok());
  if (!ours)
    call.warp.fault(FaultKind::kIllegalAddress, call.lane, address, call.place,
                    "free() of what malloc() did not give");
}

std::string triple(const Dim3& d) {
  return "[" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + "]";
}

// __assertfail(message, file, line, function, character size).
void fail_assertion(const Call& call, std::span<const std::uint64_t> arguments) {
  const LaneMemory memory{call};
  const std::string_view message = memory.string(arguments[0]), file = memory.string(arguments[1]),
                         function = memory.string(arguments[3]);
  {
    std::string text = std::string(file) + ":" +
                       std::to_string(static_cast<std::uint32_t>(arguments[2])) + ": " +
                       std::string(function) + ": block: " + triple(call.warp.block().index) +
                       ", thread: " + triple(call.warp.thread(call.lane)) + " Assertion `" +
                       std::string(message) + "` failed.\n";
    call.block.print(text);
  }
  call.warp.fault(FaultKind::kAssert, call.lane, 0, call.place, "an assertion failed");
}

void set_condition(const Call& call, std::uint64_t handle, std::uint64_t value) {
  const auto& set = call.block.services().options.set_condition;
  if (!set || !set(handle, static_cast<std::uint32_t>(value)))
    call.warp.fault(FaultKind::kTrap, call.lane, handle, call.place,
                    "cudaGraphSetConditional() of what is no handle");
}

}  // namespace

bool call(const Call& call, std::string_view name, std::span<const std::uint64_t> arguments,
          std::uint64_t& result) {
  result = 0;
  if (name == "vprintf" && arguments.size() == 2) {
    result = print(call, arguments[0], arguments[1]);
  } else if (name == "malloc" && arguments.size() == 1) {
    result = allocate(call, arguments[0]);
  } else if (name == "free" && arguments.size() == 1) {
    release(call, arguments[0]);
  } else if (name == "__assertfail" && arguments.size() == 5) {
    fail_assertion(call, arguments);
  } else if (name == "cudaGraphSetConditional" && arguments.size() == 2) {
    set_condition(call, arguments[0], arguments[1]);
  } else {
    return false;
  }
  return true;
}

}  // namespace longwire::softcuda::machine::externals
