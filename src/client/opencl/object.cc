#include "client/opencl/object.h"

#include <cstddef>
#include <cstring>

#include "opencl/entry.h"

namespace longwire::client::opencl {

Object::Object(Kind kind, wire::Handle handle) noexcept
    : dispatch_(&kDispatch), kind_(kind), handle_(handle) {}

Object::~Object() { kind_ = Kind::kDead; }

Object* Object::from_cl_pointer(void* pointer) noexcept {
  if (pointer == nullptr) return nullptr;
  // dispatch_ stands right behind the vtable pointer; the ICD loader wants it first.
  constexpr std::size_t kDispatchOffset = sizeof(void*);
  auto* const object = reinterpret_cast<Object*>(static_cast<char*>(pointer) - kDispatchOffset);
  if (reinterpret_cast<std::uintptr_t>(pointer) % alignof(Object) != 0) return nullptr;
  // Looked at as bytes: it need not be an object at all. magic_ stands right behind dispatch_.
  std::uint32_t magic = 0;
  std::memcpy(&magic, static_cast<const char*>(pointer) + sizeof dispatch_, sizeof magic);
  if (magic != kMagic) return nullptr;
  return object->magic_ == kMagic && object->cl_pointer() == pointer ? object : nullptr;
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
  if (count != 1) return false;
  on_api_released();
  unuse();
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
  if (uses_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace longwire::client::opencl
