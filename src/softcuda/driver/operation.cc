#include "softcuda/driver/operation.h"

#include <cstdio>
#include <cstring>

#include "softcuda/driver/driver.h"
#include "softcuda/driver/graph_run.h"
#include "softcuda/driver/memory.h"
#include "softcuda/driver/shared_event.h"
#include "softcuda/driver/stream_values.h"

namespace longwire::softcuda::driver {
namespace {

CUresult result_of(machine::FaultKind kind) noexcept {
  switch (kind) {
    case machine::FaultKind::kIllegalAddress:
      return CUDA_ERROR_ILLEGAL_ADDRESS;
    case machine::FaultKind::kMisalignedAddress:
      return CUDA_ERROR_MISALIGNED_ADDRESS;
    case machine::FaultKind::kIllegalInstruction:
      return CUDA_ERROR_ILLEGAL_INSTRUCTION;
    case machine::FaultKind::kTrap:
      return CUDA_ERROR_LAUNCH_FAILED;
    case machine::FaultKind::kAssert:
      return CUDA_ERROR_ASSERT;
    case machine::FaultKind::kTimeout:
      return CUDA_ERROR_LAUNCH_TIMEOUT;
    case machine::FaultKind::kStackOverflow:
      return CUDA_ERROR_HARDWARE_STACK_ERROR;
    case machine::FaultKind::kMemoryRace:
    case machine::FaultKind::kMismatch:
      return CUDA_ERROR_LAUNCH_FAILED;
  }
  return CUDA_ERROR_LAUNCH_FAILED;
}

std::uint64_t packed(const machine::Dim3& block) noexcept {
  static_assert(machine::kMaxThreadsPerBlock < 1 << 16);
  return std::uint64_t{block.z} << 32 | block.y << 16 | block.x;
}

// A graph's kernels run where their functions are, whatever stream it is launched into.
CUresult run(Context&, const KernelOperation& kernel) {
  Context& context = *kernel.function->module->context;
  machine::Launch launch;
  launch.module = kernel.function->module->loaded.get();
  launch.kernel = kernel.function->id;
  launch.grid = kernel.grid;
  launch.block = kernel.block;
  launch.dynamic_shared_bytes = kernel.shared_bytes;
  launch.cooperative = kernel.cooperative;
  launch.parameters = kernel.parameters;
  auto outcome = context.device.machine->run(launch);
  if (!outcome.ok()) return fail_context(context, CUDA_ERROR_LAUNCH_FAILED);
  if (!outcome->has_value()) {
    kernel.function->ran_block.store(packed(kernel.block), std::memory_order_relaxed);
    return CUDA_SUCCESS;
  }
  // For people; stdout belongs to the program.
  std::fprintf(stderr, "soft CUDA device: %s\n", (*outcome)->message.c_str());
  return fail_context(context, result_of((*outcome)->kind));
}

CUresult run(Context& context, const CopyOperation& copy) {
  if (copy.width == 0 || copy.height == 0 || copy.depth == 0) return CUDA_SUCCESS;
  const auto held = context.device.machine->hold_memory();
  const bool flat = copy.height == 1 && copy.depth == 1;
  if (flat) {
    std::memmove(copy.to, copy.from, copy.width);
    return CUDA_SUCCESS;
  }
  for (std::size_t z = 0; z < copy.depth; ++z)
    for (std::size_t y = 0; y < copy.height; ++y)
      std::memmove(copy.to + z * copy.to_slice + y * copy.to_pitch,
                   copy.from + z * copy.from_slice + y * copy.from_pitch, copy.width);
  return CUDA_SUCCESS;
}

CUresult run(Context& context, const MemsetOperation& memset) {
  const auto held = context.device.machine->hold_memory();
  const CUDA_MEMSET_NODE_PARAMS& p = memset.parameters;
  for (std::size_t row = 0; row < p.height; ++row) {
    auto* to = reinterpret_cast<std::byte*>(p.dst + row * p.pitch);
    if (p.elementSize == 1) {
      std::memset(to, static_cast<int>(p.value & 0xff), p.width);
      continue;
    }
    for (std::size_t i = 0; i < p.width; ++i)  // little-endian: the low bytes come first
      std::memcpy(to + i * p.elementSize, &p.value, p.elementSize);
  }
  return CUDA_SUCCESS;
}

CUresult run(Context& context, const HostOperation& host) {
  CallbackScope scope;
  const CUresult fault = context.fault.load();
  if (host.callback != nullptr) {
    host.callback(host.stream, fault, host.data);
  } else if (fault == CUDA_SUCCESS) {  // a host function is not called after a fault
    host.function(host.data);
  }
  return fault;
}

CUresult run(Context&, const EmptyOperation&) { return CUDA_SUCCESS; }

// Nodes of graphs alone; a launch binds its events when it is put into its stream, and has nothing
// to wait for where an event was never recorded.
CUresult run(Context&, const EventRecordOperation&) { return CUDA_SUCCESS; }
CUresult run(Context&, const EventWaitOperation&) { return CUDA_SUCCESS; }
CUresult run(Context&, const ChildOperation&) { return CUDA_SUCCESS; }
CUresult run(Context&, const ConditionalOperation&) { return CUDA_SUCCESS; }
CUresult run(Context&, const AllocOperation&) { return CUDA_SUCCESS; }

CUresult run(Context& context, const SharedRecordOperation& record) {
  record.event->end(record.number);
  return context.fault.load();
}
CUresult run(Context& context, const SharedWaitOperation& wait) {
  const CUresult status = wait.event->wait(wait.number);
  return status == CUDA_SUCCESS ? status : fail_context(context, status);
}

CUresult run(Context& context, const MemoryOperation& memory) {
  for (const CUstreamBatchMemOpParams& part : memory.parts)
    if (CUresult status = run_stream_value(context, part); status != CUDA_SUCCESS) return status;
  return CUDA_SUCCESS;
}

CUresult run(Context& context, const FreeOperation& free) {
  if (free.graph_memory != nullptr) return CUDA_SUCCESS;  // it lost its place with the last owner
  return release_block(context.device, free.address) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult run(Context& context, const LaunchOperation& launch) {
  return run_launch(context, *launch.launch);
}

}  // namespace

bool has_run(const KernelOperation& kernel) noexcept {
  return kernel.function->ran_block.load(std::memory_order_relaxed) == packed(kernel.block);
}

CUresult fail_context(Context& context, CUresult result) {
  CUresult none = CUDA_SUCCESS;
  context.fault.compare_exchange_strong(none, result);
  return result;
}

bool runs_after_fault(const Operation& operation) noexcept {
  return std::holds_alternative<HostOperation>(operation) ||
         std::holds_alternative<SharedRecordOperation>(operation);
}

CUresult run_operation(Context& context, const Operation& operation) {
  return std::visit([&](const auto& one) { return run(context, one); }, operation);
}

}  // namespace longwire::softcuda::driver
