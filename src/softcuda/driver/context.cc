#include "softcuda/driver/context.h"

#include <pthread.h>

#include <bit>
#include <optional>

#include "softcuda/driver/capture.h"
#include "softcuda/driver/memory.h"
#include "softcuda/driver/module.h"
#include "softcuda/driver/stream.h"
#include "softcuda/driver/texture.h"

namespace longwire::softcuda::driver {

namespace {

using ContextStack = std::vector<CUcontext>;
// Without a destructor of its own: it is there for whatever a thread calls at its end.
thread_local ContextStack* own_stack = nullptr;

void end_stack(void* stack) noexcept {
  delete static_cast<ContextStack*>(stack);
  own_stack = nullptr;
}

ContextStack* make_stack() {
  // Ends with its thread, after the destructors of the thread's C++ objects; the main thread's
  // never, as programs call from exit handlers and from the destructors of static objects.
  static const std::optional<pthread_key_t> key = []() -> std::optional<pthread_key_t> {
    pthread_key_t made{};
    return ::pthread_key_create(&made, &end_stack) == 0 ? std::optional(made) : std::nullopt;
  }();
  own_stack = new ContextStack;
  if (key.has_value()) (void)::pthread_setspecific(*key, own_stack);  // else it is never freed
  return own_stack;
}

}  // namespace

std::vector<CUcontext>& context_stack() {
  return own_stack != nullptr ? *own_stack : *make_stack();
}

CUresult current_context(Driver& driver, std::shared_ptr<Context>& context) {
  const std::vector<CUcontext>& stack = context_stack();
  if (stack.empty() || stack.back() == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  context = driver.contexts.find(stack.back());
  return context == nullptr ? CUDA_ERROR_CONTEXT_IS_DESTROYED : CUDA_SUCCESS;
}

bool are_context_flags(unsigned int flags) noexcept {
  const unsigned int schedule = flags & CU_CTX_SCHED_MASK;
  return (flags & ~static_cast<unsigned int>(CU_CTX_FLAGS_MASK)) == 0 &&
         std::popcount(schedule) <= 1;
}

std::shared_ptr<Context> make_context(Driver& driver, Device& device, unsigned int flags,
                                      unsigned int api_version, bool primary) {
  static std::atomic<std::uint64_t> next_id{1};
  auto context = std::make_shared<Context>(device);
  context->flags = flags;
  context->api_version = api_version;
  context->primary = primary;
  context->id = next_id.fetch_add(1);
  context->handle = driver.contexts.add(context);
  return context;
}

std::vector<UnfinishedWork> unfinished_work(const Context& context) {
  std::vector<UnfinishedWork> all;
  for (const auto& each : context.streams)
    if (auto stream = each.lock(); stream != nullptr)
      if (CompletionPtr last = stream->last(); last != nullptr && !last->done())
        all.push_back({std::move(stream), std::move(last)});
  return all;
}

CUresult synchronize_context(Context& context) {
  std::unique_lock lock(context.order);
  const auto all = unfinished_work(context);
  lock.unlock();
  for (const auto& [stream, last] : all)
    stream->wait_for(*last);
  return context.fault.load();
}

CUresult destroy_context(Driver& driver, CUcontext handle) {
  std::shared_ptr<Context> context = driver.contexts.remove(handle);
  if (context == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  // Nothing comes into it from now on; then its work ends, and then goes what that has used.
  std::vector<std::shared_ptr<Stream>> streams;
  {
    std::lock_guard lock(context->order);
    context->ended = true;
    for (const auto& each : context->streams)
      if (auto stream = each.lock(); stream != nullptr) streams.push_back(std::move(stream));
    context->per_thread.clear();
    context->legacy = nullptr;
    context->for_events = nullptr;
    context->streams.clear();
  }
  for (const auto& stream : streams) {
    leave_capture(driver, *stream);
    stream->close();
    driver.streams.remove(stream->handle);
  }
  for (const auto& stream : streams)
    if (const CompletionPtr last = stream->last(); last != nullptr) stream->wait_for(*last);
  auto of_this = [&](const auto& object) { return object.context == context; };
  for (CUevent event : driver.events.handles_where(of_this))
    driver.events.remove(event);
  for (CUmodule module : driver.modules.handles_where(of_this))
    unload_module(driver, module);
  destroy_textures_of(context->device, handle);
  for (CUmipmappedArray mipmap : driver.mipmaps.handles_where(
           [&](const MipmappedArray& each) { return each.owner == handle; }))
    driver.mipmaps.remove(mipmap);
  for (CUarray array :
       driver.arrays.handles_where([&](const Array& each) { return each.owner == handle; }))
    driver.arrays.remove(array);
  release_blocks_of(context->device, handle);
  return CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver
