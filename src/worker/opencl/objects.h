// The objects of a session on the worker: what a client's handle stands for natively.
//
// Every object is counted: one use by the table while the client holds the handle, one by whatever
// works with it natively (callbacks of the vendor driver, mirror threads, dependent objects). The
// native object is released with the last use. A creation that failed leaves an object without a
// native side, which remembers why: commands that name it fail with that status.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <CL/cl.h>

#include "opencl/native_api.h"
#include "wire/frame.h"
#include "worker/core/handle_map.h"
#include "worker/core/outbox.h"
#include "worker/opencl/session_limits.h"

namespace longwire::worker::opencl {

using longwire::opencl::NativeApi;
using wire::Handle;

// The upper 8 bits of a handle; the numbers of client::opencl::Kind.
enum class Kind : std::uint8_t {
  kNone = 0,
  kPlatform = 1,
  kDevice,
  kContext,
  kQueue,
  kMem,
  kSampler,
  kProgram,
  kKernel,
  kEvent,
};
inline Kind kind_of(Handle handle) {
  const auto kind = static_cast<std::uint8_t>(handle >> 56);
  return kind <= static_cast<std::uint8_t>(Kind::kEvent) ? static_cast<Kind>(kind) : Kind::kNone;
}
inline Handle make_handle(Kind kind, std::uint64_t number) {
  return std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 | number;
}

class Object {
 public:
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  void use() noexcept { uses_.fetch_add(1, std::memory_order_relaxed); }
  void unuse() noexcept;
  Kind kind() const noexcept { return kind_; }
  Handle handle() const noexcept { return handle_; }
  // CL_SUCCESS, or why there is no native object.
  cl_int failed() const noexcept { return failed_.load(std::memory_order_acquire); }
  void set_failed(cl_int status) noexcept { failed_.store(status, std::memory_order_release); }

 protected:
  Object(Kind kind, Handle handle) noexcept : kind_(kind), handle_(handle) {}
  virtual ~Object() = default;

 private:
  const Kind kind_;
  const Handle handle_;
  std::atomic<cl_int> failed_{CL_SUCCESS};
  std::atomic<std::uint32_t> uses_{0};
};

// A use of an object.
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_ != nullptr) object_->use();
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) object_->unuse();
  }
  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

// Root devices are never released; sub-devices with their last use.
class Device final : public Object {
 public:
  static constexpr Kind kKind = Kind::kDevice;
  static constexpr cl_int kInvalid = CL_INVALID_DEVICE;
  Device(const NativeApi& api, Handle handle, cl_device_id id, cl_platform_id its_platform,
         bool sub)
      : Object(kKind, handle), native(id), platform(its_platform), api_(api), is_sub_(sub) {}
  ~Device() override;

  const cl_device_id native;
  const cl_platform_id platform;
  unsigned version = 0;       // 120 for OpenCL 1.2
  bool is_cpu = false;        // its memory is this process's own
  bool host_unified = false;  // its memory is the host's: mapping copies nothing
  // The same, and host and device may touch one buffer without a map (fine-grained SVM).
  bool shares_memory = false;

 private:
  const NativeApi& api_;
  const bool is_sub_;
};

class Context final : public Object {
 public:
  static constexpr Kind kKind = Kind::kContext;
  static constexpr cl_int kInvalid = CL_INVALID_CONTEXT;
  Context(const NativeApi& api, Handle handle) : Object(kKind, handle), api_(api) {}
  ~Context() override;

  // The queue on which streamed transfers of `device` run, made on first use; null when the driver
  // refuses. It has profiling on, is in order, and nothing of the program's waits in it.
  cl_command_queue hidden_queue(Device& device);

  // The queue that clears new memory, made on first use; null when the driver refuses.
  cl_command_queue clearing_queue();
  // Flushes the clearing queue up to its command `event`, which it owns from now on; what comes
  // later in any queue of this context waits for it.
  cl_int hold_queues_until(cl_event event);
  // A queue of the program's comes, and goes before it is released natively.
  cl_int enter(cl_command_queue queue);
  void leave(cl_command_queue queue);

  cl_context native = nullptr;
  std::vector<Ref<Device>> devices;

 private:
  const NativeApi& api_;
  cl_int hold(cl_command_queue queue, cl_event event);
  std::mutex mutex_;
  std::vector<std::pair<cl_device_id, cl_command_queue>> hidden_;
  std::vector<cl_command_queue> queues_;  // of the program
  cl_command_queue clearing_ = nullptr;
  cl_event cleared_ = nullptr;  // the last command of `clearing_`
};

class Event;
class Completions;
class LentRead;     // direct_transfers.h
class PlacedWrite;  // the same

class Queue final : public Object {
 public:
  static constexpr Kind kKind = Kind::kQueue;
  static constexpr cl_int kInvalid = CL_INVALID_COMMAND_QUEUE;
  Queue(const NativeApi& api, Handle handle) : Object(kKind, handle), api_(api) {}
  ~Queue() override;

  cl_command_queue native = nullptr;
  Ref<Context> context;
  Ref<Device> device;
  bool in_order = true;
  bool profiling = false;
  bool touched = false;  // dispatch thread: has commands that no native flush has seen
  // Dispatch thread: commands that the native queue, or in its place a direct transfer, has got.
  std::uint64_t given = 0;
  // Direct transfers that may be under way. Dispatch thread.
  std::vector<std::shared_ptr<LentRead>> lent;
  std::shared_ptr<PlacedWrite> placed;
  // Guarded by the outbox's turn.
  std::uint64_t over = 0;             // so many of them, the first ones, are known to be complete
  Event* live = nullptr;              // list of events under way
  std::uint64_t last_read = 0;        // reads whose bytes go by lanes are numbered
  std::set<std::uint64_t> reads_due;  // those whose reply has not been sent
  struct WaitingFinish {
    std::uint64_t after_read;
    wire::Token token;
    std::uint64_t given = 0;
  };
  std::vector<WaitingFinish> finishes;  // complete natively, but reads before them are on their way

  // Nothing that it was given can still run, and all of that has been reported. Dispatch thread, in
  // a turn.
  bool idle() const noexcept { return live == nullptr && over == given; }

 private:
  const NativeApi& api_;
};

class Mem final : public Object {
 public:
  static constexpr Kind kKind = Kind::kMem;
  static constexpr cl_int kInvalid = CL_INVALID_MEM_OBJECT;
  Mem(const NativeApi& api, Handle handle) : Object(kKind, handle), api_(api) {}
  ~Mem() override;

  cl_mem native = nullptr;
  Ref<Context> context;
  std::size_t element_bytes = 0;  // images: of one pixel
  Reservation reserved;
  std::span<std::byte> shared;  // its bytes, where the host may touch them (shared_buffers.h)

  // Null where it may not, and where the range is empty or leaves the buffer.
  std::byte* shared_at(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    const bool inside = bytes != 0 && offset < shared.size() && bytes <= shared.size() - offset;
    return inside ? shared.data() + offset : nullptr;
  }

 private:
  const NativeApi& api_;
};

class Sampler final : public Object {
 public:
  static constexpr Kind kKind = Kind::kSampler;
  static constexpr cl_int kInvalid = CL_INVALID_SAMPLER;
  Sampler(const NativeApi& api, Handle handle) : Object(kKind, handle), api_(api) {}
  ~Sampler() override;

  cl_sampler native = nullptr;

 private:
  const NativeApi& api_;
};

class Program final : public Object {
 public:
  static constexpr Kind kKind = Kind::kProgram;
  static constexpr cl_int kInvalid = CL_INVALID_PROGRAM;
  Program(const NativeApi& api, Handle handle) : Object(kKind, handle), api_(api) {}
  ~Program() override;

  // Set on the dispatch thread, or by the mirror thread before its reply goes out.
  std::atomic<cl_program> native{nullptr};
  Ref<Context> context;
  std::string source;  // where builds are cached

  // A build from the cache is another native program than the one with the source, which stays for
  // builds to come. Both are called by the mirror thread that builds.
  void stand_on_binary(cl_program binary);
  void stand_on_source();

 private:
  const NativeApi& api_;
  cl_program source_ = nullptr;  // while `native` is a binary's
};

class Kernel final : public Object {
 public:
  static constexpr Kind kKind = Kind::kKernel;
  static constexpr cl_int kInvalid = CL_INVALID_KERNEL;
  Kernel(const NativeApi& api, Handle handle) : Object(kKind, handle), api_(api) {}
  ~Kernel() override;

  cl_kernel native = nullptr;
  // Arguments whose latest value the driver has refused, and why: a launch fails with it until a
  // later value is taken.
  std::map<std::uint32_t, cl_int> refused_args;

 private:
  const NativeApi& api_;
};

// CL_PROFILING_COMMAND_*: queued, submit, start, end, complete.
using EventTimes = std::array<std::uint64_t, 5>;

// A command under way, whether or not the program wants its event, or a user event.
class Event final : public Object {
 public:
  static constexpr Kind kKind = Kind::kEvent;
  static constexpr cl_int kInvalid = CL_INVALID_EVENT;
  Event(const NativeApi& api, Handle handle) : Object(kKind, handle), api_(api) {}
  ~Event() override;

  bool wanted() const noexcept { return handle() != 0; }

  cl_event native = nullptr;
  Ref<Queue> queue;  // none: a user event
  bool is_user = false;
  bool is_set = false;  // a user event's status

  Completions* completions = nullptr;  // while it is watched
  // When it is complete, so are so many commands of its queue, which is in order. 0: not known.
  std::uint64_t ends = 0;

  // What completion brings about beside the report, set before the event is watched. `in_turn` runs
  // right behind the report, with the outbox in hand: it may only send. `afterwards` runs later on
  // the same thread, without locks. Both run once, and are dropped then.
  std::function<void(core::Outbox::Turn&, cl_int)> in_turn;
  std::function<void(cl_int)> afterwards;
  // In place of what the native event says, where it stands for a command of several steps.
  // Written before the native event can complete.
  cl_int replaced_status = CL_COMPLETE;  // negative: counts
  EventTimes replaced_times{};           // where not 0

  // Guarded by the outbox's turn.
  bool claimed = false;   // reported, or about to be
  bool orphaned = false;  // found failed before the driver called back, which it may never do
  struct Links {
    Event* previous = nullptr;
    Event* next = nullptr;
  };
  Links in_queue;  // of its queue's live events
  Links in_all;    // of all live events

 private:
  const NativeApi& api_;
};

// What a lookup found: an object with a native side, or the status that the command fails with.
template <class T>
struct Found {
  T* object = nullptr;
  cl_int status = CL_SUCCESS;
  bool ok() const noexcept { return status == CL_SUCCESS; }
};

inline constexpr std::size_t kMaxObjects = std::size_t{1} << 22;

// Handle → object, of every kind. Belongs to the dispatch thread.
class ObjectTable {
 public:
  ~ObjectTable() { clear(); }

  // False: the handle is 0, of another kind, or taken (the client broke the protocol).
  bool may_insert(Handle handle, Kind kind) const noexcept {
    return handle != 0 && kind_of(handle) == kind && objects_.find(handle) == nullptr;
  }
  void set_most(std::size_t objects) noexcept { most_ = objects; }
  bool full() const noexcept { return objects_.size() >= most_; }
  // Takes a use. REQUIRES: may_insert(), !full().
  template <class T>
  T* insert(T* object) {
    objects_.insert(object->handle(), object);
    object->use();
    return object;
  }
  template <class T>
  Found<T> find(Handle handle) const noexcept {
    if (kind_of(handle) != T::kKind) return {nullptr, T::kInvalid};
    Object* const object = objects_.find(handle);
    if (object == nullptr) return {nullptr, T::kInvalid};
    if (const cl_int failed = object->failed(); failed != CL_SUCCESS) return {nullptr, failed};
    return {static_cast<T*>(object), CL_SUCCESS};
  }
  // The object even if its creation failed.
  Object* find_any(Handle handle) const noexcept { return objects_.find(handle); }
  // Drops the table's use; false when there is no such object.
  bool release(Handle handle) noexcept {
    Object* const object = objects_.erase(handle);
    if (object == nullptr) return false;
    object->unuse();
    return true;
  }
  template <class F>
  void for_each(F&& f) const {
    objects_.for_each([&](Handle, Object* object) { f(*object); });
  }
  void clear() noexcept;
  std::size_t size() const noexcept { return objects_.size(); }

 private:
  core::HandleMap<Object> objects_;
  std::size_t most_ = kMaxObjects;
};

}  // namespace longwire::worker::opencl
