// Memory: what is behind a cl_mem: buffers, sub-buffers and (image.h) images. OpenCL 3.0, 5.2
// to 5.5.
//
// All bytes live on the node; the client keeps the facts that info queries and checks need, the
// host shadow that maps use (map.h), and which nodes hold the latest bytes (residency.h).
//
// The worker's object is released when the program's last reference and the last object made from
// this one (sub-buffer, image) are gone. Kernel arguments hold nothing (OpenCL 3.0, 5.9.2: programs
// may not rely on a kernel to retain its arguments; holding them would keep device memory alive).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "client/opencl/object.h"

namespace longwire::client::opencl {

class Context;
class Device;
class Image;
class InfoOut;
class MapTable;
class Residency;
class Runtime;

// CL_MEM_*_HOST_PTR: never sent to the node.
inline constexpr cl_mem_flags kHostPointerFlags =
    CL_MEM_USE_HOST_PTR | CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR;
inline constexpr cl_mem_flags kDeviceAccessFlags =
    CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY | CL_MEM_READ_ONLY;
inline constexpr cl_mem_flags kHostAccessFlags =
    CL_MEM_HOST_WRITE_ONLY | CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS;

using DestructorCallback = void(CL_CALLBACK*)(cl_mem, void*);

// What a memory object is made of; the creation functions fill it in.
struct MemoryFacts {
  cl_mem_object_type type = CL_MEM_OBJECT_BUFFER;
  cl_mem_flags flags = 0;    // as CL_MEM_FLAGS reports them, with what is inherited
  std::size_t size = 0;      // bytes, as CL_MEM_SIZE reports them
  void* host_ptr = nullptr;  // as CL_MEM_HOST_PTR reports it
  std::size_t origin = 0;    // sub-buffers: CL_MEM_OFFSET, bytes from the parent's start
  std::vector<cl_mem_properties> properties;  // as given, with the final 0; empty when NULL
};

class Memory : public Object {
 public:
  static constexpr Kind kKind = Kind::kMem;

  // `parent`: the buffer or image that this one is made from, or null.
  Memory(Context& context, Memory* parent, MemoryFacts facts);
  ~Memory() override;

  Context& context() const noexcept { return *context_; }
  cl_mem_object_type type() const noexcept { return facts_.type; }
  bool is_buffer() const noexcept { return facts_.type == CL_MEM_OBJECT_BUFFER; }
  cl_mem_flags flags() const noexcept { return facts_.flags; }
  std::size_t size() const noexcept { return facts_.size; }
  void* host_ptr() const noexcept { return facts_.host_ptr; }
  const MemoryFacts& facts() const noexcept { return facts_; }
  virtual Image* as_image() noexcept { return nullptr; }

  Memory* parent() const noexcept { return parent_.get(); }
  // The object that owns the bytes: itself, or what it was (by steps) made from.
  Memory& root() noexcept;
  const Memory& root() const noexcept;
  // Bytes from the start of root().
  std::size_t origin_in_root() const noexcept;

  // What the host may do: CL_MEM_HOST_* flags, with the parent's.
  bool host_may_read() const noexcept;
  bool host_may_write() const noexcept;

  // CL_MISALIGNED_SUB_BUFFER_OFFSET where `device` cannot use this sub-buffer, or CL_SUCCESS.
  cl_int check_alignment(const Device& device) const noexcept;

  // One per memory object that owns bytes: root()'s serves everything made from it.
  MapTable& maps() noexcept { return *root().maps_; }
  Residency& residency() noexcept { return *root().residency_; }
  cl_uint map_count() const noexcept;

  cl_int get_info(cl_mem_info param, const InfoOut& out) noexcept;

  // Called in reverse order when the worker's object is gone. False: out of memory.
  bool add_destructor_callback(DestructorCallback callback, void* user_data) noexcept;

  // False once the node has been told to release it; see the note on kernel arguments above.
  bool alive() const noexcept { return holds_.load(std::memory_order_relaxed) > 0; }

  // clRetainMemObject. A parent that only its children keep comes back to the program by queries.
  void retain_for_program() noexcept;
  // Keeps the worker's object beyond the program's last reference: one per object made from this
  // one, and one per mapping. The last one to go releases it.
  void hold() noexcept { holds_.fetch_add(1, std::memory_order_relaxed); }
  void drop_hold() noexcept;

 private:
  void on_api_released() noexcept override;
  void release_on_nodes() noexcept;
  void run_destructor_callbacks() noexcept;

  const Ref<Context> context_;
  const Ref<Memory> parent_;
  const MemoryFacts facts_;
  std::unique_ptr<MapTable> maps_;        // null where parent_ is set
  std::unique_ptr<Residency> residency_;  // null where parent_ is set
  std::atomic<std::uint32_t> holds_{1};   // the program's, and one per object made from this
  std::mutex callbacks_mutex_;
  std::vector<std::pair<DestructorCallback, void*>> callbacks_;
};

// Keeps a memory object and its node's object, and with it the host shadow.
class MemoryHold {
 public:
  MemoryHold() = default;
  explicit MemoryHold(Memory* memory) noexcept : memory_(memory) {
    if (memory_) memory_->hold();
  }
  MemoryHold(const MemoryHold& other) noexcept : MemoryHold(other.memory_.get()) {}
  MemoryHold(MemoryHold&& other) noexcept = default;
  MemoryHold& operator=(MemoryHold other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~MemoryHold() {
    if (memory_) memory_->drop_hold();
  }

 private:
  Ref<Memory> memory_;
};

// The live memory object of that handle, or null. Takes a lock.
Ref<Memory> find_memory(Runtime& runtime, wire::Handle handle) noexcept;

// The flag rules shared by buffers and images (OpenCL 3.0, table of CL_MEM flags): CL_INVALID_VALUE
// for unknown or excluding flags; fills in CL_MEM_READ_WRITE where no access is named.
cl_int check_memory_flags(cl_mem_flags flags) noexcept;
// No flags at all mean CL_MEM_READ_WRITE.
cl_mem_flags with_default_access(cl_mem_flags flags) noexcept;
// Sub-buffers and images from buffers: the flags that `own` adds up to under a parent's, or
// CL_INVALID_VALUE where they would allow what the parent does not.
std::pair<cl_mem_flags, cl_int> inherit_flags(cl_mem_flags parent, cl_mem_flags own) noexcept;
// CL_INVALID_HOST_PTR where pointer and flags do not agree.
cl_int check_host_pointer(cl_mem_flags flags, const void* host_ptr) noexcept;

}  // namespace longwire::client::opencl
