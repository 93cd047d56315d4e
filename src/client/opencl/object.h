// The objects behind cl_platform_id, cl_device_id, cl_context, … on the client.
//
// Every object carries the ICD dispatch pointer (cl_khr_icd) and a kind tag. Objects live in memory
// of their own (object_memory.h), so that whatever a program passes as a handle is judged before it
// is touched, and what is no live object of that kind is refused with the API's own error. Two
// counts: `api_references_` is the count that clRetain/clRelease and CL_*_REFERENCE_COUNT speak of;
// `uses_` keeps the C++ object alive (one for all API references together, one per Ref). When the
// last use goes the object is deleted; its destructor tells the nodes (Node::release).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include <CL/cl.h>
#include <CL/cl_icd.h>

#include "wire/frame.h"

namespace longwire::client::opencl {

// Also the upper 8 bits of the object's handle on the wire.
enum class Kind : std::uint8_t {
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

class Object {
 public:
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Kind kind() const noexcept { return kind_; }
  wire::Handle handle() const noexcept { return handle_; }
  std::uint32_t api_references() const noexcept { return api_references_.load(); }

  void retain_api() noexcept;
  // False where the API has no reference left to release. After the last one on_api_released() has
  // run; the object may be gone by then.
  bool release_api() noexcept;

  void use() noexcept { uses_.fetch_add(1, std::memory_order_relaxed); }
  // As use(), unless the object is being deleted: for tables that hold no use of their own.
  bool try_use() noexcept;
  void unuse() noexcept;

  // The node could not make the object (kOpObjectFailed); commands that use it fail with this.
  cl_int failure() const noexcept { return failure_.load(std::memory_order_relaxed); }
  // On the pumping thread: must not block. A queue keeps it as its sticky error instead.
  virtual void on_failed(cl_int status) noexcept { failure_.store(status); }

  // The address of the dispatch pointer is what the program holds.
  void* cl_pointer() noexcept { return &dispatch_; }
  // nullptr for anything but a live object of ours; `pointer` may be any word at all.
  static Object* from_cl_pointer(const void* pointer) noexcept;

  // In g_object_memory. Throwing and not, as in <new>.
  static void* operator new(std::size_t size);
  static void* operator new(std::size_t size, const std::nothrow_t&) noexcept;
  static void operator delete(void* slot, std::size_t size) noexcept;

 protected:
  Object(Kind kind, wire::Handle handle) noexcept;  // with one API reference and one use
  virtual ~Object();
  virtual void on_api_released() noexcept {}

 private:
  const cl_icd_dispatch* dispatch_;
  const Kind kind_;
  std::atomic<std::uint32_t> api_references_{1};
  std::atomic<std::uint32_t> uses_{1};
  std::atomic<cl_int> failure_{CL_SUCCESS};
  const wire::Handle handle_;
};

// Program handle <-> object. T has `static constexpr Kind kKind`. from_cl gives nullptr for null
// and for anything that is not a live object of that kind.
template <class T>
T* from_cl(const void* handle) noexcept {
  Object* object = Object::from_cl_pointer(handle);
  return object != nullptr && object->kind() == T::kKind ? static_cast<T*>(object) : nullptr;
}
template <class Cl>
Cl to_cl(Object* object) noexcept {
  return object == nullptr ? nullptr : static_cast<Cl>(object->cl_pointer());
}

// For generated messages. REQUIRES: null (no object) or a handle that has been checked.
inline wire::Handle handle_of(const void* handle) noexcept {
  const Object* object = Object::from_cl_pointer(handle);
  return object == nullptr ? 0 : object->handle();
}

// Owning reference to an Object; adopts nothing: Ref(p) adds a use.
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_) object_->use();
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_) object_->unuse();
  }
  // Takes over a use that the caller has (try_use(), or a new object that no program knows).
  static Ref adopt(T* object) noexcept {
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  T* get() const noexcept { return object_; }
  T* release() noexcept { return std::exchange(object_, nullptr); }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace longwire::client::opencl
