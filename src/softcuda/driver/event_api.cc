// Events.
#include "softcuda/driver/event.h"

#include "softcuda/driver/capture.h"
#include "softcuda/driver/shared_event.h"
#include "softcuda/driver/stream.h"

namespace longwire::softcuda::driver {

CUresult record_event(Stream& stream, Event& event, std::vector<CompletionPtr> after) {
  CompletionPtr completion;
  CUresult status = CUDA_SUCCESS;
  if (event.shared != nullptr) {
    const std::uint64_t number = event.shared->begin();
    status = stream.submit(SharedRecordOperation{event.shared, number}, std::move(after));
    if (status != CUDA_SUCCESS) event.shared->end(number);
  } else {
    status = stream.submit(EmptyOperation{}, std::move(after), &completion);
  }
  if (status != CUDA_SUCCESS) return status;
  std::lock_guard lock(event.mutex);
  event.recorded = std::move(completion);
  event.stream = stream.weak_from_this();
  event.capture_id = 0;
  return CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver

using namespace longwire::softcuda::driver;

namespace {

constexpr unsigned int kEventFlags =
    CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS;

template <class Body>
CUresult with_event(CUevent handle, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    auto event = driver.events.find(handle);
    return event == nullptr ? CUDA_ERROR_INVALID_HANDLE : body(event);
  });
}

CUresult destroy(CUevent handle) {
  return guarded([&](Driver& driver) {
    return driver.events.remove(handle) == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
  });
}

std::shared_ptr<Stream> stream_of(Event& event) {
  std::lock_guard lock(event.mutex);
  return event.stream.lock();
}

// Its last record; CUDA_ERROR_CAPTURED_EVENT where that was into a capture.
CUresult last_record(Event& event, CompletionPtr& completion) {
  Driver& driver = *the_driver();
  bool captured = false;
  {
    std::lock_guard lock(event.mutex);
    completion = event.recorded;
    captured = event.capture_id != 0;
  }
  CUresult status = captured ? refuse_captured(driver, event) : CUDA_SUCCESS;
  return status == CUDA_SUCCESS ? check_unsafe(driver) : status;
}

std::optional<CUresult> record_into_capture(Driver& driver, Stream& stream,
                                            const std::shared_ptr<Event>& event, CUevent handle,
                                            unsigned int flags) {
  if (!stream.capturing.load()) return std::nullopt;
  if (flags == 0) return capture_record(driver, stream, *event);
  if (event->shared != nullptr) return CUDA_ERROR_NOT_SUPPORTED;
  Operation operation = EventRecordOperation{event, handle};
  return capture_operation(driver, stream, operation);
}

CUresult elapsed(float* milliseconds, CUevent start_handle, CUevent end_handle) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    constexpr double kNsOfMs = 1e6;
    auto start = driver.events.find(start_handle);
    auto end = driver.events.find(end_handle);
    if (milliseconds == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (start == nullptr || end == nullptr ||
        ((start->flags | end->flags) & CU_EVENT_DISABLE_TIMING) != 0)
      return CUDA_ERROR_INVALID_HANDLE;
    CompletionPtr from, to;
    CUresult status = last_record(*start, from);
    if (status == CUDA_SUCCESS) status = last_record(*end, to);
    if (status != CUDA_SUCCESS) return status;
    if (from == nullptr || to == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (!from->done() || !to->done()) return CUDA_ERROR_NOT_READY;
    *milliseconds = static_cast<float>(
        (static_cast<double>(to->time_ns()) - static_cast<double>(from->time_ns())) / kNsOfMs);
    return CUDA_SUCCESS;
  });
}

}  // namespace

extern "C" {

CUresult cuEventCreate(CUevent* handle, unsigned int flags) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (handle == nullptr || (flags & ~kEventFlags) != 0) return CUDA_ERROR_INVALID_VALUE;
    const bool shared = (flags & CU_EVENT_INTERPROCESS) != 0;
    if (shared && (flags & CU_EVENT_DISABLE_TIMING) == 0) return CUDA_ERROR_INVALID_VALUE;
    auto event = std::make_shared<Event>();
    if (shared && (event->shared = SharedEvent::create()) == nullptr)
      return CUDA_ERROR_OUT_OF_MEMORY;
    event->context = context;
    event->flags = flags;
    return context->add_object([&] { *handle = driver.events.add(std::move(event)); });
  });
}

CUresult cuEventDestroy(CUevent event) { return destroy(event); }
CUresult cuEventDestroy_v2(CUevent event) { return destroy(event); }

CUresult cuEventRecordWithFlags(CUevent handle, CUstream stream_handle, unsigned int flags) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto event = driver.events.find(handle);
    auto stream = find_stream(context, stream_handle);
    if (event == nullptr || stream == nullptr || stream->context() != event->context)
      return CUDA_ERROR_INVALID_HANDLE;
    if ((flags & ~static_cast<unsigned int>(CU_EVENT_RECORD_EXTERNAL)) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (auto captured = record_into_capture(driver, *stream, event, handle, flags);
        captured.has_value())
      return *captured;
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;  // external to which capture?
    return record_event(*stream, *event);
  });
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  return cuEventRecordWithFlags(event, stream, CU_EVENT_RECORD_DEFAULT);
}

CUresult cuEventQuery(CUevent handle) {
  return with_event(handle, [](const std::shared_ptr<Event>& event) -> CUresult {
    CompletionPtr completion;
    CUresult status = last_record(*event, completion);
    if (status != CUDA_SUCCESS) return status;
    if (event->shared != nullptr)
      return event->shared->has_ended(event->shared->last()) ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
    if (completion == nullptr) return CUDA_SUCCESS;
    return completion->done() ? completion->result() : CUDA_ERROR_NOT_READY;
  });
}

CUresult cuEventSynchronize(CUevent handle) {
  return with_event(handle, [](const std::shared_ptr<Event>& event) -> CUresult {
    CompletionPtr completion;
    CUresult status = last_record(*event, completion);
    if (status == CUDA_SUCCESS && event->shared != nullptr)
      return event->shared->wait(event->shared->last());
    if (status != CUDA_SUCCESS || completion == nullptr) return status;
    if (auto stream = stream_of(*event); stream != nullptr) stream->wait_for(*completion);
    completion->wait();
    return completion->result();
  });
}

CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  return elapsed(milliseconds, start, end);
}
CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end) {
  return elapsed(milliseconds, start, end);
}

}  // extern "C"
