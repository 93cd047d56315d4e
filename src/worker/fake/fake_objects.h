// The objects of the fake driver. Everything is guarded by FakeState::mutex; callbacks are
// collected and run when it is free again.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <CL/cl.h>
#include <CL/cl_ext.h>

#include "worker/fake/fake_driver.h"

namespace longwire::worker::fake {

inline constexpr unsigned kMaxFakeDevices = 8;

struct FakeObject {
  FakeObject();
  virtual ~FakeObject();
  FakeObject(const FakeObject&) = delete;
  FakeObject& operator=(const FakeObject&) = delete;
  int references = 1;
};

struct FakeState {
  std::mutex mutex;
  std::condition_variable changed;
  FakeOptions options;
  std::size_t live = 0;
  std::size_t memory = 0;
  std::size_t commands = 0;
  std::map<std::size_t, std::vector<std::vector<std::byte>>> freed;  // by size, with `recycle`
  std::map<std::uint32_t, std::vector<std::uint32_t>> journals;      // by session
  cl_ulong time = 1000;
  std::vector<struct FakeQueue*> queues;
  std::map<void*, std::vector<std::byte>> shared;  // what clSVMAlloc has given
  std::vector<std::function<void()>> callbacks;    // to be run without the mutex
  std::array<int, kMaxFakeDevices> devices{};      // their addresses are the cl_device_ids
};
FakeState& state();  // of the driver that exists

// Counted use of a FakeObject.
template <class T>
class Use {
 public:
  Use() = default;
  explicit Use(T* object) : object_(object) {
    if (object_ != nullptr) ++object_->references;
  }
  Use(const Use& other) : Use(other.object_) {}
  Use(Use&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Use& operator=(Use other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Use() {
    if (object_ != nullptr && --object_->references == 0) delete object_;
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

struct FakeContext final : FakeObject {
  std::vector<cl_device_id> devices;
};

struct FakeQueue;

struct FakeEvent final : FakeObject {
  struct Callback {
    cl_int trigger;
    void(CL_CALLBACK* function)(cl_event, cl_int, void*);
    void* user;
  };
  Use<FakeContext> context;
  bool is_user = false;
  cl_int status = CL_QUEUED;
  std::array<cl_ulong, 5> times{};
  std::vector<Callback> callbacks;
  void reach(cl_int new_status);
};

struct FakeCommand {
  Use<FakeQueue> queue;  // a released queue lives until its commands have run
  Use<FakeEvent> event;
  std::vector<Use<FakeEvent>> waits;
  std::function<cl_int()> run;
  bool submitted = false;
};

struct FakeQueue final : FakeObject {
  FakeQueue();
  ~FakeQueue() override;
  Use<FakeContext> context;
  cl_device_id device = nullptr;
  cl_command_queue_properties properties = 0;
  std::deque<FakeCommand> pending;
  Use<FakeEvent> barrier;  // out of order: what later commands wait for
  bool in_order() const { return (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) == 0; }
};

struct FakeMem final : FakeObject {
  ~FakeMem() override;
  Use<FakeContext> context;
  Use<FakeMem> parent;
  std::size_t offset = 0;
  std::size_t size = 0;
  std::vector<std::byte> bytes;
  std::byte* host = nullptr;  // the program's memory instead, with CL_MEM_USE_HOST_PTR
  cl_mem_object_type type = CL_MEM_OBJECT_BUFFER;
  cl_image_format format{};
  std::size_t element = 0;              // images
  std::array<std::size_t, 3> extent{};  // images: elements, rows, slices
  std::vector<std::pair<void(CL_CALLBACK*)(cl_mem, void*), void*>> destructors;
  std::byte* data() {
    if (parent) return parent->data() + offset;
    return host != nullptr ? host : bytes.data();
  }
};

struct FakeSampler final : FakeObject {
  Use<FakeContext> context;
};

struct FakeProgram final : FakeObject {
  Use<FakeContext> context;
  std::string source;
  std::string log;
  cl_build_status built = CL_BUILD_NONE;
  cl_program_binary_type binary_type = CL_PROGRAM_BINARY_TYPE_NONE;
};

struct FakeArg {
  std::string type;
  std::string name;
  cl_kernel_arg_address_qualifier address = CL_KERNEL_ARG_ADDRESS_PRIVATE;
  std::vector<std::byte> value;
  Use<FakeMem> mem;
  bool set = false;
};

struct FakeKernel final : FakeObject {
  Use<FakeProgram> program;
  std::string name;
  std::vector<FakeArg> args;
};

// "kernel void name(args)" of a source.
struct FakeSignature {
  std::string name;
  std::vector<FakeArg> args;
};
std::vector<FakeSignature> signatures_of(const std::string& source);
cl_int run_kernel(const std::string& name, std::vector<FakeArg>& args, std::size_t items);

// --- queues ---

// The mutex, and afterwards the callbacks that were collected meanwhile.
class Guard {
 public:
  Guard() : lock_(state().mutex) {}
  ~Guard() { release(); }
  void release();
  std::unique_lock<std::mutex>& lock() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

cl_int enqueue(cl_command_queue queue, cl_uint wait_count, const cl_event* wait, cl_event* event,
               std::function<cl_int()> run);
cl_int enqueue_fence(cl_command_queue queue, cl_uint wait_count, const cl_event* wait,
                     cl_event* event, bool is_barrier);
void submit(FakeQueue& queue);
void run_what_can();

// --- the tables ---

void fill_device_functions(longwire::opencl::NativeApi& api);
void fill_memory_functions(longwire::opencl::NativeApi& api);
void fill_program_functions(longwire::opencl::NativeApi& api);
void fill_queue_functions(longwire::opencl::NativeApi& api);

// The rule of every clGet*Info.
inline cl_int give(const void* from, std::size_t bytes, std::size_t room, void* value,
                   std::size_t* size) {
  if (value != nullptr && room < bytes) return CL_INVALID_VALUE;
  if (value != nullptr && bytes != 0) std::memcpy(value, from, bytes);
  if (size != nullptr) *size = bytes;
  return CL_SUCCESS;
}
template <class T>
cl_int give_value(T v, std::size_t room, void* value, std::size_t* size) {
  return give(&v, sizeof v, room, value, size);
}
inline cl_int give_text(const std::string& text, std::size_t room, void* value, std::size_t* size) {
  return give(text.c_str(), text.size() + 1, room, value, size);
}

template <class T, class H>
T* fake(H handle) {
  return reinterpret_cast<T*>(handle);
}
template <class H, class T>
H native(T* object) {
  return reinterpret_cast<H>(object);
}
template <class T, class H>
cl_int CL_API_CALL retain(H handle) {
  const Guard guard;
  ++fake<T>(handle)->references;
  return CL_SUCCESS;
}
template <class T, class H>
cl_int CL_API_CALL release(H handle) {
  const Guard guard;
  T* const object = fake<T>(handle);
  if (--object->references == 0) delete object;
  return CL_SUCCESS;
}
inline void set(cl_int* status, cl_int value) {
  if (status != nullptr) *status = value;
}

}  // namespace longwire::worker::fake
