// Events of all that a context does.
#include "softcuda/driver/capture.h"
#include "softcuda/driver/context.h"
#include "softcuda/driver/event.h"
#include "softcuda/driver/shared_event.h"

using namespace longwire::softcuda::driver;

namespace {

// With a context, of which no stream captures, and an event.
template <class Body>
CUresult with_event_of_context(CUcontext context_handle, CUevent event_handle, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    auto context = driver.contexts.find(context_handle);
    if (context == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
    if (CUresult fault = context->fault.load(); fault != CUDA_SUCCESS) return fault;
    auto event = driver.events.find(event_handle);
    if (event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (CUresult status = refuse_capture(driver, *context); status != CUDA_SUCCESS) return status;
    return body(driver, context, event);
  });
}

// A stream apart from the program's, which nothing waits for but such events; nullptr: the context
// is being destroyed.
std::shared_ptr<Stream> own_stream(const std::shared_ptr<Context>& context) {
  std::lock_guard lock(context->order);
  if (!context->ended && context->for_events == nullptr)
    context->for_events = make_stream(context, Stream::Kind::kPlain, CU_STREAM_NON_BLOCKING, 0);
  return context->for_events;
}

std::vector<CompletionPtr> last_work(Context& context) {
  std::lock_guard lock(context.order);
  std::vector<CompletionPtr> all;
  for (auto& [stream, last] : unfinished_work(context))
    all.push_back(std::move(last));
  return all;
}

// What the event stands for now; nullptr: nothing, or all of it is done.
CUresult work_of(const std::shared_ptr<Context>& context, Event& event, CompletionPtr& work) {
  if (event.shared == nullptr) {
    std::lock_guard lock(event.mutex);
    work = event.recorded;
    return CUDA_SUCCESS;
  }
  const std::uint64_t number = event.shared->last();
  if (event.shared->has_ended(number)) return CUDA_SUCCESS;
  const auto stream = own_stream(context);
  return stream == nullptr ? CUDA_ERROR_CONTEXT_IS_DESTROYED
                           : stream->submit(SharedWaitOperation{event.shared, number}, {}, &work);
}

}  // namespace

extern "C" {

CUresult cuCtxRecordEvent(CUcontext context_handle, CUevent event_handle) {
  return with_event_of_context(context_handle, event_handle,
                               [](Driver&, const std::shared_ptr<Context>& context,
                                  const std::shared_ptr<Event>& event) -> CUresult {
                                 if (event->context != context) return CUDA_ERROR_INVALID_HANDLE;
                                 const auto stream = own_stream(context);
                                 if (stream == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
                                 return record_event(*stream, *event, last_work(*context));
                               });
}

CUresult cuCtxWaitEvent(CUcontext context_handle, CUevent event_handle) {
  return with_event_of_context(context_handle, event_handle,
                               [](Driver& driver, const std::shared_ptr<Context>& context,
                                  const std::shared_ptr<Event>& event) -> CUresult {
                                 if (refuse_captured(driver, *event) != CUDA_SUCCESS)
                                   return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
                                 CompletionPtr work;
                                 CUresult status = work_of(context, *event, work);
                                 if (status != CUDA_SUCCESS || work == nullptr) return status;
                                 std::lock_guard lock(context->order);
                                 context->gates.push_back(std::move(work));
                                 return CUDA_SUCCESS;
                               });
}

}  // extern "C"
