// User objects, and which graphs hold them.
#include "softcuda/driver/user_object.h"

#include <algorithm>
#include <climits>

#include "softcuda/driver/graph.h"

namespace longwire::softcuda::driver {

bool release_user_object(Driver& driver, UserObject& object, std::uint64_t count) {
  std::uint64_t held = object.references.load();
  do {
    if (count > held) return false;
  } while (!object.references.compare_exchange_weak(held, held - count));
  if (held != count) return true;
  driver.user_objects.remove(object.handle);
  CallbackScope scope;
  object.destroy(object.pointer);
  return true;
}

UserHold::~UserHold() {
  if (count_ > 0) (void)release_user_object(*the_driver(), *object_, count_);
}

}  // namespace longwire::softcuda::driver

using namespace longwire::softcuda::driver;

namespace {

bool is_count(unsigned int count) { return count > 0 && count <= INT_MAX; }

template <class Body>
CUresult with_object(CUuserObject handle, unsigned int count, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    auto object = driver.user_objects.find(handle);
    return object == nullptr || !is_count(count) ? CUDA_ERROR_INVALID_VALUE : body(driver, object);
  });
}

// More references, unless the last has just been released.
bool retain(UserObject& object, unsigned int count) {
  std::uint64_t held = object.references.load();
  do {
    if (held == 0) return false;
  } while (!object.references.compare_exchange_weak(held, held + count));
  return true;
}

}  // namespace

extern "C" {

CUresult cuUserObjectCreate(CUuserObject* handle, void* pointer, CUhostFn destroy,
                            unsigned int references, unsigned int flags) {
  return guarded([&](Driver& driver) -> CUresult {
    if (handle == nullptr || destroy == nullptr || !is_count(references) ||
        flags != CU_USER_OBJECT_NO_DESTRUCTOR_SYNC)
      return CUDA_ERROR_INVALID_VALUE;
    auto object = std::make_shared<UserObject>();
    object->pointer = pointer;
    object->destroy = destroy;
    object->references = references;
    *handle = object->handle = driver.user_objects.add(object);
    return CUDA_SUCCESS;
  });
}

CUresult cuUserObjectRetain(CUuserObject handle, unsigned int count) {
  return with_object(handle, count, [&](Driver&, const std::shared_ptr<UserObject>& object) {
    return retain(*object, count) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuUserObjectRelease(CUuserObject handle, unsigned int count) {
  return with_object(handle, count, [&](Driver& driver, const std::shared_ptr<UserObject>& object) {
    return release_user_object(driver, *object, count) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuGraphRetainUserObject(CUgraph graph_handle, CUuserObject handle, unsigned int count,
                                 unsigned int flags) {
  auto body = [&](Driver& driver, const std::shared_ptr<UserObject>& object) -> CUresult {
    if ((flags & ~static_cast<unsigned int>(CU_GRAPH_USER_OBJECT_MOVE)) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    GraphLock lock(driver);
    auto graph = driver.graphs.find(graph_handle);
    if (graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (flags == 0 && !retain(*object, count)) return CUDA_ERROR_INVALID_VALUE;
    auto& users = graph->users;
    auto held = std::find_if(users.begin(), users.end(),
                             [&](const UserHold& each) { return &each.object() == object.get(); });
    if (held == users.end())
      users.emplace_back(object, count);
    else
      held->add(count);
    return CUDA_SUCCESS;
  };
  return with_object(handle, count, body);
}

CUresult cuGraphReleaseUserObject(CUgraph graph_handle, CUuserObject handle, unsigned int count) {
  auto body = [&](Driver& driver, const std::shared_ptr<UserObject>& object) -> CUresult {
    {
      GraphLock lock(driver);
      auto graph = driver.graphs.find(graph_handle);
      if (graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
      auto& users = graph->users;
      auto held = std::find_if(users.begin(), users.end(), [&](const UserHold& each) {
        return &each.object() == object.get();
      });
      if (held == users.end() || held->count() < count) return CUDA_ERROR_INVALID_VALUE;
      held->give_up(count);
      if (held->count() == 0) users.erase(held);
    }
    return release_user_object(driver, *object, count) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  };
  return with_object(handle, count, body);
}

}  // extern "C"
