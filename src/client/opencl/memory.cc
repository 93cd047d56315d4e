#include "client/opencl/memory.h"

#include <bit>

#include "client/opencl/context.h"
#include "client/opencl/map.h"
#include "client/opencl/residency.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

constexpr cl_mem_flags kKnownFlags = kDeviceAccessFlags | kHostPointerFlags | kHostAccessFlags;

bool at_most_one(cl_mem_flags flags) { return std::popcount(flags) <= 1; }

}  // namespace

Memory::Memory(Context& context, Memory* parent, MemoryFacts facts)
    : Object(Kind::kMem, context.new_handle(Kind::kMem)),
      context_(&context),
      parent_(parent),
      facts_(std::move(facts)) {
  if (parent_) {
    parent_->hold();
  } else {
    maps_ = std::make_unique<MapTable>();
    residency_ = std::make_unique<Residency>();
  }
  context.runtime().add_object(*this);
}

Memory::~Memory() { context_->runtime().remove_object(*this); }

Memory& Memory::root() noexcept {
  Memory* memory = this;
  while (memory->parent_)
    memory = memory->parent_.get();
  return *memory;
}
const Memory& Memory::root() const noexcept { return const_cast<Memory*>(this)->root(); }

std::size_t Memory::origin_in_root() const noexcept {
  std::size_t origin = 0;
  for (const Memory* memory = this; memory != nullptr; memory = memory->parent_.get())
    origin += memory->facts_.origin;
  return origin;
}

bool Memory::host_may_read() const noexcept {
  return (flags() & (CL_MEM_HOST_WRITE_ONLY | CL_MEM_HOST_NO_ACCESS)) == 0;
}
bool Memory::host_may_write() const noexcept {
  return (flags() & (CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS)) == 0;
}

cl_int Memory::check_alignment(const Device& device) const noexcept {
  if (!parent_ || !is_buffer()) return CL_SUCCESS;
  const std::size_t align = device.limits().base_align_bytes;
  return align != 0 && facts_.origin % align != 0 ? CL_MISALIGNED_SUB_BUFFER_OFFSET : CL_SUCCESS;
}

cl_uint Memory::map_count() const noexcept { return root().maps_->count_of(*this); }

bool Memory::add_destructor_callback(DestructorCallback callback, void* user_data) noexcept {
  try {
    const std::lock_guard lock(callbacks_mutex_);
    callbacks_.emplace_back(callback, user_data);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Memory::on_api_released() noexcept { drop_hold(); }

void Memory::drop_hold() noexcept {
  if (holds_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  release_on_nodes();
  if (parent_) {
    parent_->drop_hold();
  } else {
    maps_->drop_shadow();  // kernels that name this object keep it here, but not its pages
  }
}

void Memory::retain_for_program() noexcept {
  if (api_references() == 0) hold();
  retain_api();
}

void Memory::release_on_nodes() noexcept {
  bool wants_reply = false;
  {
    const std::lock_guard lock(callbacks_mutex_);
    wants_reply = !callbacks_.empty();
  }
  if (!wants_reply) {
    context_->release_on_all(handle());
    return;
  }
  // The object's address stays taken until its callbacks have run, hence the Ref. Shared by the
  // replies of the nodes: the last one starts the callbacks.
  struct Pending {
    Ref<Memory> memory;
    std::atomic<std::size_t> nodes;
  };
  auto pending = std::make_shared<Pending>();
  pending->memory = Ref<Memory>(this);
  pending->nodes = context_->nodes().size();
  const auto one_gone = [pending] {
    if (pending->nodes.fetch_sub(1) != 1) return;
    pending->memory->context().runtime().callbacks().post(
        [memory = pending->memory] { memory->run_destructor_callbacks(); });
  };
  for (Node* node : context_->nodes()) {
    const auto tell = [node, object = handle(), one_gone] {
      const auto sent = node->session().request(::longwire::opencl::msg::ReleaseObject{object, 0},
                                                [one_gone](const core::ReplyView&) { one_gone(); });
      if (!sent.ok()) one_gone();
    };
    if (core::NodeSession::in_frame_handler() && !node->lost()) {
      node->session().post(tell);
    } else {
      tell();
    }
  }
}

void Memory::run_destructor_callbacks() noexcept {
  std::vector<std::pair<DestructorCallback, void*>> callbacks;
  {
    const std::lock_guard lock(callbacks_mutex_);
    callbacks.swap(callbacks_);
  }
  for (auto it = callbacks.rbegin(); it != callbacks.rend(); ++it)
    it->first(to_cl<cl_mem>(this), it->second);
}

Ref<Memory> find_memory(Runtime& runtime, wire::Handle handle) noexcept {
  Ref<Object> object = runtime.find_object(handle);
  if (!object || object->kind() != Kind::kMem) return {};
  return Ref<Memory>::adopt(static_cast<Memory*>(object.release()));
}

cl_int check_memory_flags(cl_mem_flags flags) noexcept {
  const bool excluding = !at_most_one(flags & kDeviceAccessFlags) ||
                         !at_most_one(flags & kHostAccessFlags) ||
                         ((flags & CL_MEM_USE_HOST_PTR) != 0 &&
                          (flags & (CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR)) != 0);
  return excluding || (flags & ~kKnownFlags) != 0 ? CL_INVALID_VALUE : CL_SUCCESS;
}

cl_mem_flags with_default_access(cl_mem_flags flags) noexcept {
  return flags == 0 ? CL_MEM_READ_WRITE : flags;
}

cl_int check_host_pointer(cl_mem_flags flags, const void* host_ptr) noexcept {
  const bool wanted = (flags & (CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR)) != 0;
  return wanted == (host_ptr != nullptr) ? CL_SUCCESS : CL_INVALID_HOST_PTR;
}

std::pair<cl_mem_flags, cl_int> inherit_flags(cl_mem_flags parent, cl_mem_flags own) noexcept {
  if ((own & kHostPointerFlags) != 0 || check_memory_flags(own) != CL_SUCCESS)
    return {0, CL_INVALID_VALUE};
  const auto parent_is = [&](cl_mem_flags flags) { return (parent & flags) != 0; };
  const auto own_is = [&](cl_mem_flags flags) { return (own & flags) != 0; };
  const bool widens =
      (parent_is(CL_MEM_WRITE_ONLY) && own_is(CL_MEM_READ_WRITE | CL_MEM_READ_ONLY)) ||
      (parent_is(CL_MEM_READ_ONLY) && own_is(CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY)) ||
      (parent_is(CL_MEM_HOST_WRITE_ONLY) && own_is(CL_MEM_HOST_READ_ONLY)) ||
      (parent_is(CL_MEM_HOST_READ_ONLY) && own_is(CL_MEM_HOST_WRITE_ONLY)) ||
      (parent_is(CL_MEM_HOST_NO_ACCESS) && own_is(CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_WRITE_ONLY));
  if (widens) return {0, CL_INVALID_VALUE};
  if (!own_is(kDeviceAccessFlags)) own |= parent & kDeviceAccessFlags;
  if (!own_is(kHostAccessFlags)) own |= parent & kHostAccessFlags;
  return {own | (parent & kHostPointerFlags), CL_SUCCESS};
}

}  // namespace longwire::client::opencl
