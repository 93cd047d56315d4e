// Driver: the one process-global, made by cuInit() and never destroyed, as threads of the program
// may call until the very end. A child after fork() has none of its threads: there every call
// answers CUDA_ERROR_NOT_INITIALIZED.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "softcuda/driver/branch_threads.h"
#include "softcuda/driver/handles.h"
#include "softcuda/driver/objects.h"
#include "softcuda/driver/options.h"

namespace longwire::softcuda::driver {

struct GraphNode;
struct GraphExec;
class Conditions;
class GraphMemory;
struct UserObject;
struct LinkState;

inline constexpr int kDriverVersion = 13000;

struct Driver {
  Options options;
  std::vector<std::unique_ptr<Device>> devices;
  Table<CUcontext, Context> contexts;
  Table<CUmodule, Module> modules;
  Table<CUfunction, Function> functions;
  Table<CUlibrary, Library> libraries;
  Table<CUkernel, Kernel> kernels;
  Table<CUlinkState, LinkState> links;
  Table<CUstream, Stream> streams;
  Table<CUevent, Event> events;
  Table<CUarray, Array> arrays;
  Table<CUmipmappedArray, MipmappedArray> mipmaps;
  Table<CUmemoryPool, Pool> pools;
  Table<CUgraph, Graph> graphs;
  Table<CUgraphNode, GraphNode> nodes;
  Table<CUgraphExec, GraphExec> execs;
  Table<CUuserObject, UserObject> user_objects;

  std::mutex graphs_mutex;  // of all graphs and captures: GraphLock
  std::vector<std::shared_ptr<Capture>> captures;
  std::atomic<int> active_captures{0};  // how many, for who need not know which
  std::mutex event_launches;            // see launch_graph()
  std::unique_ptr<GraphMemory> graph_memory;
  std::unique_ptr<Conditions> conditions;
  BranchThreads branch_threads;

  Driver();
  ~Driver();

  Device* device(CUdevice ordinal) {
    if (ordinal < 0 || static_cast<std::size_t>(ordinal) >= devices.size()) return nullptr;
    return devices[static_cast<std::size_t>(ordinal)].get();
  }
};

// nullptr: cuInit() has not been called, or this is a child of who called it.
Driver* the_driver() noexcept;
CUresult initialise() noexcept;

// Runs the program's functions: there the API may not be called.
class CallbackScope {
 public:
  CallbackScope() noexcept { ++depth(); }
  ~CallbackScope() { --depth(); }
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;
  static bool active() noexcept { return depth() > 0; }

 private:
  static int& depth() noexcept {
    static thread_local int depth = 0;
    return depth;
  }
};

// The calling thread's current context; its own error where there is none.
CUresult current_context(Driver& driver, std::shared_ptr<Context>& context);

// The frame of every entry point: no exception leaves it (the standard library's are all there is).
template <class Body>
CUresult guarded(Body&& body) noexcept {
  Driver* driver = the_driver();
  if (driver == nullptr) return CUDA_ERROR_NOT_INITIALIZED;
  if (CallbackScope::active()) return CUDA_ERROR_NOT_PERMITTED;
  try {
    return body(*driver);
  } catch (const std::bad_alloc&) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  } catch (...) {
    return CUDA_ERROR_UNKNOWN;
  }
}

// The same for what needs a context: a fault of it is the answer to everything.
template <class Body>
CUresult in_context(Body&& body) noexcept {
  return guarded([&](Driver& driver) -> CUresult {
    std::shared_ptr<Context> context;
    if (CUresult status = current_context(driver, context); status != CUDA_SUCCESS) return status;
    if (CUresult fault = context->fault.load(); fault != CUDA_SUCCESS) return fault;
    return body(driver, context);
  });
}

}  // namespace longwire::softcuda::driver
