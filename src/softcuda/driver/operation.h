// Operation: one piece of work, as a stream runs it and as a graph keeps it in a node.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

#include "softcuda/driver/objects.h"

namespace longwire::softcuda::driver {

struct Condition;
struct GraphAllocation;
struct GraphLaunch;

struct KernelOperation {
  std::shared_ptr<Function> function;
  CUfunction handle = nullptr;  // as it was asked for
  bool by_kernel = false;       // in a graph: as a CUkernel
  machine::Dim3 grid, block;
  std::uint32_t shared_bytes = 0;
  bool cooperative = false;
  std::vector<std::byte> parameters;
};

// Both sides resolved to addresses; `asked` is what graphs give back.
struct CopyOperation {
  std::byte* to = nullptr;
  const std::byte* from = nullptr;
  std::size_t to_pitch = 0, to_slice = 0, from_pitch = 0, from_slice = 0;
  std::size_t width = 0, height = 1, depth = 1;
  CUDA_MEMCPY3D asked{};
  std::shared_ptr<const std::byte[]> taken;  // `from`, with the operation's copies: take_source()
};

struct MemsetOperation {
  CUDA_MEMSET_NODE_PARAMS parameters{};
};

struct HostOperation {
  CUhostFn function = nullptr;
  CUstreamCallback callback = nullptr;  // cuStreamAddCallback: that instead
  CUstream stream = nullptr;
  void* data = nullptr;
};

struct EventRecordOperation {
  std::shared_ptr<Event> event;
  CUevent handle = nullptr;
};
struct EventWaitOperation {
  std::shared_ptr<Event> event;
  CUevent handle = nullptr;
};
struct SharedRecordOperation {  // of events that other processes have too
  std::shared_ptr<SharedEvent> event;
  std::uint64_t number = 0;
};
struct SharedWaitOperation {
  std::shared_ptr<SharedEvent> event;
  std::uint64_t number = 0;
};
struct MemoryOperation {  // cuStreamWaitValue32 and so on
  std::vector<CUstreamBatchMemOpParams> parts;
  CUcontext context = nullptr;  // as a graph's node was given it
};
struct AllocOperation {  // of a graph; has its place before it runs
  std::shared_ptr<GraphAllocation> graph_memory;
};
struct FreeOperation {
  CUdeviceptr address = 0;
  std::shared_ptr<GraphAllocation> graph_memory;  // nullptr: memory of a pool
};
struct ChildOperation {
  std::shared_ptr<Graph> graph;  // shared with the table; the node's
};
struct ConditionalOperation {
  std::shared_ptr<Condition> condition;
  CUgraphConditionalNodeType type = CU_GRAPH_COND_TYPE_IF;
  std::vector<std::shared_ptr<Graph>> bodies;  // shared with the table; the node's
  std::vector<CUgraph> handles;                // of the bodies, for the program to read
};
struct LaunchOperation {
  std::shared_ptr<GraphLaunch> launch;  // the command's alone: commands are copyable
};
struct EmptyOperation {};

using Operation =
    std::variant<EmptyOperation, KernelOperation, CopyOperation, MemsetOperation, HostOperation,
                 EventRecordOperation, EventWaitOperation, MemoryOperation, AllocOperation,
                 FreeOperation, ChildOperation, ConditionalOperation, LaunchOperation,
                 SharedRecordOperation, SharedWaitOperation>;

// What runs although its context has a fault: it says so to others.
bool runs_after_fault(const Operation& operation) noexcept;
// Runs it to its end on the calling thread. A kernel's fault becomes the context's.
CUresult run_operation(Context& context, const Operation& operation);
// A kernel has run in blocks of that size before: its code is there.
bool has_run(const KernelOperation& kernel) noexcept;
// Makes it the context's fault, unless that has one; returns it.
CUresult fail_context(Context& context, CUresult result);

}  // namespace longwire::softcuda::driver
