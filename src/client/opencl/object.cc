#include "client/opencl/object.h"

#include <cstddef>
#include <cstring>

#include "client/opencl/object_memory.h"
#include "opencl/entry.h"

namespace longwire::client::opencl {

namespace {

// dispatch_ stands right behind the vtable pointer; the ICD loader wants it first.
constexpr std::size_t kDispatchOffset = sizeof(void*);

}  // namespace

Object::Object(Kind kind, wire::Handle handle) noexcept
    : dispatch_(&kDispatch), kind_(kind), handle_(handle) {
  g_object_memory.set_live(this, true);
}

Object::~Object() = default;

void* Object::operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return g_object_memory.allocate(size);
}

void* Object::operator new(std::size_t size) {
  if (void* const slot = g_object_memory.allocate(size)) return slot;
  throw std::bad_alloc();  // as any other new; no program meets it, entry points are noexcept
}

void Object::operator delete(void* slot, std::size_t size) noexcept {
  // What the ICD loader looks for in a handle, also in one that has been released: written again,
  // for a compiler may drop stores into an object that ends.
  const cl_icd_dispatch* const dispatch = &kDispatch;
  std::memcpy(static_cast<std::byte*>(slot) + kDispatchOffset, &dispatch, sizeof dispatch);
  g_object_memory.free(slot, size);
}

Object* Object::from_cl_pointer(const void* pointer) noexcept {
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(pointer) - kDispatchOffset;
  return g_object_memory.is_live(address) ? reinterpret_cast<Object*>(address) : nullptr;
}

void Object::retain_api() noexcept {
  // From nothing (a handle that an info query gave back): the API's own use begins again.
  if (api_references_.fetch_add(1) == 0) use();
}

bool Object::release_api() noexcept {
  std::uint32_t count = api_references_.load();
  do {
    if (count == 0) return false;
  } while (!api_references_.compare_exchange_weak(count, count - 1));
  if (count == 1) {
    on_api_released();
    unuse();
  }
  return true;
}

bool Object::try_use() noexcept {
  std::uint32_t count = uses_.load(std::memory_order_relaxed);
  do {
    if (count == 0) return false;
  } while (!uses_.compare_exchange_weak(count, count + 1, std::memory_order_acquire,
                                        std::memory_order_relaxed));
  return true;
}

void Object::unuse() noexcept {
  if (uses_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  g_object_memory.set_live(this, false);  // before anything of it is taken apart
  delete this;
}

}  // namespace longwire::client::opencl
