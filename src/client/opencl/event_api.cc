// Events as the program sees them. OpenCL 3.0, sections 5.11, 5.12 and 5.14.
#include "client/opencl/enqueue.h"
#include "client/opencl/event.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl::api {
namespace {

// All of the same context, and at least one.
cl_int check_list(cl_uint count, const cl_event* events) noexcept {
  if (count == 0 || events == nullptr) return CL_INVALID_VALUE;
  const Event* const first = from_cl<Event>(events[0]);
  for (cl_uint i = 0; i < count; ++i) {
    const Event* const event = from_cl<Event>(events[i]);
    if (event == nullptr) return CL_INVALID_EVENT;
    if (&event->context() != &first->context()) return CL_INVALID_CONTEXT;
  }
  return CL_SUCCESS;
}

Ref<Event> make_user_event(Context& context) { return Ref<Event>::adopt(new Event(context)); }

cl_event fail(cl_int* errcode_ret, cl_int status) noexcept {
  if (errcode_ret != nullptr) *errcode_ret = status;
  return nullptr;
}

}  // namespace

cl_int WaitForEvents(cl_uint num_events, const cl_event* event_list) noexcept {
  LW_CL_TRY(check_list(num_events, event_list));
  const EventsInUse in_use(num_events, event_list);
  // All are set going before the first is waited for: they may wait for each other.
  for (cl_uint i = 0; i < num_events; ++i)
    from_cl<Event>(event_list[i])->flush_queue();
  cl_int result = CL_SUCCESS;
  for (cl_uint i = 0; i < num_events; ++i) {
    Event* const event = from_cl<Event>(event_list[i]);
    LW_CL_TRY(event->wait());
    if (event->status() < 0) result = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
  }
  return result;
}

cl_int GetEventInfo(cl_event event, cl_event_info param_name, size_t param_value_size,
                    void* param_value, size_t* param_value_size_ret) noexcept {
  Event* const object = from_cl<Event>(event);
  if (object == nullptr) return CL_INVALID_EVENT;
  return object->get_info(param_name, {param_value_size, param_value, param_value_size_ret});
}

cl_event CreateUserEvent(cl_context context, cl_int* errcode_ret) noexcept {
  Context* const in = from_cl<Context>(context);
  if (in == nullptr) return fail(errcode_ret, CL_INVALID_CONTEXT);
  Ref<Event> event = make_user_event(*in);
  if (const cl_int status = event->create_on_nodes(); status != CL_SUCCESS) {
    return fail(errcode_ret, status);
  }
  if (errcode_ret != nullptr) *errcode_ret = CL_SUCCESS;
  return to_cl<cl_event>(event.release());
}

cl_int RetainEvent(cl_event event) noexcept {
  Event* const object = from_cl<Event>(event);
  if (object == nullptr) return CL_INVALID_EVENT;
  object->retain_api();
  return CL_SUCCESS;
}

cl_int ReleaseEvent(cl_event event) noexcept {
  Event* const object = from_cl<Event>(event);
  if (object == nullptr) return CL_INVALID_EVENT;
  return object->release_api() ? CL_SUCCESS : CL_INVALID_EVENT;
}

cl_int SetUserEventStatus(cl_event event, cl_int execution_status) noexcept {
  Event* const object = from_cl<Event>(event);
  if (object == nullptr) return CL_INVALID_EVENT;
  const EventsInUse in_use(1, &event);
  return object->set_user_status(execution_status);
}

cl_int SetEventCallback(cl_event event, cl_int command_exec_callback_type,
                        void(CL_CALLBACK* pfn_notify)(cl_event, cl_int, void*),
                        void* user_data) noexcept {
  Event* const object = from_cl<Event>(event);
  if (object == nullptr) return CL_INVALID_EVENT;
  const bool known =
      command_exec_callback_type >= CL_COMPLETE && command_exec_callback_type <= CL_SUBMITTED;
  if (pfn_notify == nullptr || !known) return CL_INVALID_VALUE;
  return object->set_callback(command_exec_callback_type, pfn_notify, user_data);
}

cl_int GetEventProfilingInfo(cl_event event, cl_profiling_info param_name, size_t param_value_size,
                             void* param_value, size_t* param_value_size_ret) noexcept {
  Event* const object = from_cl<Event>(event);
  if (object == nullptr) return CL_INVALID_EVENT;
  return object->get_profiling(param_name, {param_value_size, param_value, param_value_size_ret});
}

}  // namespace longwire::client::opencl::api
