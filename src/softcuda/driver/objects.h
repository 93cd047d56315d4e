// The objects behind handles. Each API has a file of its own; here is what they share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "cudaapi/entry_points.h"
#include "softcuda/driver/completion.h"
#include "softcuda/machine/machine.h"

namespace longwire::softcuda::driver {

struct Context;
struct Capture;
struct Graph;
struct IpcFile;
class ManagedHints;
class SharedEvent;
class Stream;

// Of a block that cuMemMap made: what stands behind it.
inline constexpr unsigned int kHostMapped = 1;    // memory of the host
inline constexpr unsigned int kExportMapped = 2;  // that can be exported as a descriptor

// What the program sees as one allocation of a device.
struct Block {
  enum class Kind : std::uint8_t {
    kDevice,
    kHost,
    kManaged,
    kRegistered,
    kArray,
    kPool,
    kMapped,
    kGraph,
    kImported  // another process's
  };
  std::uint64_t bytes = 0;
  Kind kind = Kind::kDevice;
  CUcontext owner = nullptr;
  unsigned int flags =
      0;  // as given to cuMemHostAlloc and its like; kMapped: kHostMapped and so on
  CUmemoryPool pool = nullptr;
  std::uint64_t id = 0;
  std::shared_ptr<ManagedHints> hints = nullptr;  // with copies; nullptr: there are none
  bool sync_memops = false;                       // cuPointerSetAttribute; they always are
  std::shared_ptr<IpcFile> ipc = nullptr;  // with copies of the block: shared with other processes
};

// A texture or surface object, as the program described it; the machine has what kernels see.
struct TextureObject {
  CUcontext owner = nullptr;
  bool surface = false;
  CUDA_RESOURCE_DESC resource{};
  CUDA_TEXTURE_DESC texture{};
  std::optional<CUDA_RESOURCE_VIEW_DESC> view;
};

struct Device {
  int ordinal = 0;
  std::unique_ptr<machine::Machine> machine;

  std::mutex mutex;  // of what follows
  std::map<std::uint64_t, Block> blocks;
  std::unordered_map<std::uint64_t, TextureObject> textures;  // by the machine's handle
  std::shared_ptr<Context> primary;                           // shared with the table of contexts
  CUcontext primary_handle = nullptr;
  unsigned int primary_count = 0;
  unsigned int primary_flags = 0;
  CUmemoryPool default_pool = nullptr;
  CUmemoryPool current_pool = nullptr;
};

struct Limits {
  std::size_t stack_bytes = 1024;
  std::size_t printf_bytes = 1 << 20;
  std::size_t heap_bytes = 8 << 20;
  std::size_t sync_depth = 2;
  std::size_t pending_launches = 2048;
  std::size_t l2_granularity = 64;
};

struct Context {
  explicit Context(Device& on) : device(on) {}
  Device& device;
  CUcontext handle = nullptr;
  std::uint64_t id = 0;
  std::atomic<unsigned int> flags{0};
  unsigned int api_version = 0;
  bool primary = false;
  // The first fault of a kernel: all that follows answers it.
  std::atomic<CUresult> fault{CUDA_SUCCESS};

  // Held while work is put into streams: so every wait is for work that was put in before, and the
  // legacy stream's order is one for all threads.
  std::mutex order;
  bool ended = false;  // it is being destroyed: nothing more comes into it
  std::shared_ptr<Stream> legacy;
  std::unordered_map<std::thread::id, std::shared_ptr<Stream>> per_thread;
  std::vector<std::weak_ptr<Stream>> streams;  // all of them
  std::shared_ptr<Stream> for_events;          // cuCtxRecordEvent's own
  std::vector<CompletionPtr> gates;  // cuCtxWaitEvent: all work from now on waits for these

  // Runs `add`, which puts an object into a table or a list, unless what is in this context is
  // being collected already.
  template <class Add>
  CUresult add_object(Add&& add) {
    std::lock_guard lock(order);
    if (ended) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    add();
    return CUDA_SUCCESS;
  }

  std::mutex settings;
  Limits limits;
  CUfunc_cache cache = CU_FUNC_CACHE_PREFER_NONE;
  CUsharedconfig shared_config = CU_SHARED_MEM_CONFIG_FOUR_BYTE_BANK_SIZE;
};

struct Module {
  std::shared_ptr<Context> context;
  std::shared_ptr<const ir::Module> program;  // shared with the library it may come from
  std::unique_ptr<machine::LoadedModule> loaded;
  CUmodule handle = nullptr;
  bool of_library = false;  // not the program's to unload
  std::mutex mutex;
  bool unloaded = false;  // no function comes into the table any more
  std::unordered_map<ir::FunctionId, CUfunction> functions;
};

struct Function {
  std::shared_ptr<Module> module;
  ir::FunctionId id = 0;
  // cuFuncSetAttribute
  std::atomic<int> max_dynamic_shared{-1};
  std::atomic<int> carveout{CU_SHAREDMEM_CARVEOUT_DEFAULT};
  std::atomic<bool> prepared{false};
  std::atomic<std::uint64_t> ran_block{0};  // the size of its last grid's blocks; 0: there was none
  const ir::Function& code() const { return module->program->functions[id]; }
};

struct Library {
  std::shared_ptr<const ir::Module> program;
  CUlibrary handle = nullptr;
  std::mutex mutex;
  bool unloaded = false;  // no module and no kernel comes into the tables any more
  std::unordered_map<CUcontext, CUmodule> modules;
  std::unordered_map<ir::FunctionId, CUkernel> kernels;
};

struct Kernel {
  std::shared_ptr<Library> library;
  ir::FunctionId id = 0;
  std::mutex mutex;
  std::unordered_map<CUfunction_attribute, int> attributes;  // given to functions made of it
  const ir::Function& code() const { return library->program->functions[id]; }
};

struct Event {
  std::shared_ptr<Context> context;
  unsigned int flags = 0;
  std::mutex mutex;
  CompletionPtr recorded;        // nullptr: never recorded
  std::weak_ptr<Stream> stream;  // in which
  // CU_EVENT_INTERPROCESS: its records are here instead. Shared with the work that has to do with
  // it.
  std::shared_ptr<SharedEvent> shared;
  // In a capture (graphs_mutex too): the nodes that it stands for.
  std::uint64_t capture_id = 0;
  std::vector<CUgraphNode> capture_nodes;
  std::weak_ptr<Capture> capture;
};

struct Array {
  Device* device = nullptr;
  CUcontext owner = nullptr;
  CUDA_ARRAY3D_DESCRIPTOR description{};
  std::uint64_t address = 0;
  std::size_t element_bytes = 0, pitch = 0, rows = 1, slices = 1;
  std::atomic<bool> of_mipmap{false};  // a level: goes with the whole
};

struct MipmappedArray {
  CUcontext owner = nullptr;
  std::vector<CUarray> levels;  // the first is the largest
};

struct Pool {
  Device* device = nullptr;
  CUmemPoolProps properties{};
  bool is_default = false;
  std::mutex mutex;
  std::uint64_t used = 0, used_high = 0, release_threshold = 0;
  int reuse[3] = {1, 1, 1};
};

}  // namespace longwire::softcuda::driver
