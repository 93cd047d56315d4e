// The objects behind cl_platform_id, cl_device_id, cl_context, … on the client.
//
// Every object begins with the ICD dispatch pointer (cl_khr_icd) and a kind tag, so that a handle of
// the wrong kind is refused with the API's own error. Two counts: `api_references_` is the count that
// clRetain/clRelease and CL_*_REFERENCE_COUNT speak of; `uses_` keeps the C++ object alive (one for
// all API references together, one per Ref). When the last use goes, the object tells the workers
// (ReleaseObject) and is deleted.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include <CL/cl.h>
#include <CL/cl_icd.h>

#include "wire/frame.h"

namespace longwire::client::opencl {

enum class Kind : std::uint8_t {
  kPlatform = 1, kDevice, kContext, kQueue, kMem, kSampler, kProgram, kKernel, kEvent, kDead,
};

class Object {
 public:
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Kind kind() const noexcept { return kind_.load(std::memory_order_relaxed); }
  wire::Handle handle() const noexcept { return handle_; }
  std::uint32_t api_references() const noexcept { return api_references_.load(); }

  void retain_api() noexcept { api_references_.fetch_add(1); }
  // Returns true when this was the last API reference (on_api_released() has run).
  bool release_api() noexcept;

  void use() noexcept { uses_.fetch_add(1, std::memory_order_relaxed); }
  void unuse() noexcept;

 protected:
  Object(Kind kind, wire::Handle handle) noexcept;  // with one API reference and one use
  virtual ~Object();
  virtual void on_api_released() noexcept {}

  const cl_icd_dispatch* dispatch_;  // MUST be the first data the ICD loader sees: see layout note

 private:
  std::atomic<Kind> kind_;
  std::atomic<std::uint32_t> api_references_{1};
  std::atomic<std::uint32_t> uses_{1};
  const wire::Handle handle_;
};

// The ICD loader reads the dispatch pointer at offset 0 of the cl_* handle. An Object has a vtable
// pointer there, so the handle given to the program is the address of `dispatch_`:
//   to_cl<cl_mem>(object) and from_cl<Memory>(handle) convert; from_cl checks for null and the kind,
//   and gives nullptr for anything that is not a live object of that kind.

// Owning reference to an Object; adopts nothing: Ref(p) adds a use.
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) noexcept : object_(object) { if (object_) object_->use(); }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept { std::swap(object_, other.object_); return *this; }
  ~Ref() { if (object_) object_->unuse(); }
  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace longwire::client::opencl
