// SessionState: the objects of one session, and the common road of every command on the worker.
// Everything here belongs to the dispatch thread, but for `completions` and the services.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "opencl/worker_dispatch.h"
#include "wire/blob.h"
#include "worker/core/worker.h"
#include "worker/opencl/clearing.h"
#include "worker/opencl/completions.h"
#include "worker/opencl/objects.h"
#include "worker/opencl/stdout_pipe.h"

namespace longwire::worker::opencl {

inline constexpr std::size_t kMaxWaitList = 65536;

class SessionState final : public AutoSupport {
 public:
  // `output` may be null: then kernels print where they like.
  SessionState(const NativeApi& api, const core::Services& services, StdoutPipe* output,
               const SessionLimits& limits);

  const NativeApi& cl() const { return api_; }
  const core::Services& services() const { return services_; }

  // --- objects ---------------------------------------------------------------------------------
  template <class T>
  Found<T> find(Handle handle) const {
    return table.find<T>(handle);
  }
  // A program that has its native side: a creation may still run on a mirror thread.
  Found<Program> find_program(Handle handle) const;
  // Enters a new object. With an error the client is told, and the object remembers it. False (and
  // the session ends) when the handle is taken or of another kind; the object is then gone.
  bool add(Object* object, cl_int status);
  // The protocol was broken: on_command() returns this.
  void fault(std::string what);
  base::Status take_fault();

  // --- enqueued commands -------------------------------------------------------------------------
  // What a command has found before it goes to the native driver.
  struct Command {
    Handle queue_handle = 0;
    Handle event_handle = 0;
    Queue* queue = nullptr;
    std::span<const cl_event> wait;  // valid until the next command
    cl_int status = CL_SUCCESS;

    bool ok() const { return status == CL_SUCCESS; }
    void fail(cl_int why) {
      if (ok()) status = why;
    }
    cl_uint wait_count() const { return static_cast<cl_uint>(wait.size()); }
    const cl_event* wait_events() const { return wait.empty() ? nullptr : wait.data(); }
  };
  // What a command may do to the memory that direct transfers before it use.
  enum class Access : std::uint8_t { kReads, kChanges };
  Command begin(Handle queue, wire::U64View wait_list, Handle event,
                Access access = Access::kChanges);
  // Who does direct transfers: keeps those of a queue that are under way in front of a command.
  std::function<cl_int(Queue&, Access)> before_command;
  // Makes the event of a command that has been given to the native driver (`native` is owned by
  // it).
  Ref<Event> make_event(const Command& command, cl_event native);
  // Enters the event where the program wants it, and watches it.
  void started(const Command& command, const Ref<Event>& event);
  // REQUIRES: !command.ok().
  void not_started(const Command& command);
  // It has been given a command.
  void touch(Queue& queue);
  void flush_touched();

  // --- data that must be here before a command runs
  // ------------------------------------------------ False: not here yet; the command must return
  // and is run again when it is. *status is set where it will never come. A blob that is here stays
  // until drop().
  bool arrived(const wire::Blob& blob, std::span<const std::byte>* data, cl_int* status);
  void drop(const wire::Blob& blob);
  bool must_wait() const { return awaited_ > 0; }
  std::function<void()> on_arrival;  // dispatch thread: commands may go on

  // --- AutoSupport -------------------------------------------------------------------------------
  const NativeApi& api() const override { return api_; }
  cl_context context(Handle handle) override;
  cl_command_queue queue(Handle handle) override;
  cl_mem mem(Handle handle) override;
  cl_sampler sampler(Handle handle) override;
  cl_program program(Handle handle) override;
  cl_kernel kernel(Handle handle) override;
  cl_event event(Handle handle) override;
  cl_device_id device(Handle handle) override;
  std::span<const cl_event> wait_list(wire::U64View handles, cl_int* failed) override;
  bool wants_event(Handle queue, Handle event) override { return queue != 0 && event != 0; }
  void enqueued(Handle queue, Handle event, cl_event native, cl_int status) override;
  void created(Handle object, void* native, cl_int status) override;
  void failed(Handle object, cl_int status) override;

  const std::vector<std::string> devices;     // that the session sees; empty: all
  const std::shared_ptr<MemoryQuota> memory;  // shared with its reservations
  const Clearing clearing;
  ObjectTable table;
  Completions completions;

  // Kernels that print exist from now on.
  void expect_output();
  Handle next_device() { return make_handle(Kind::kDevice, ++devices_); }

 private:
  struct Arrival {
    bool here = false;
    core::Block block;
    cl_int status = CL_SUCCESS;
    bool taken = true;  // the transfer was accepted: its credit is to be given back
  };
  void arrival(session::TransferId transfer, Arrival result);
  cl_int make_way(Queue& queue, Access access);

  const NativeApi& api_;
  const core::Services& services_;
  StdoutPipe* const output_;
  std::uint64_t devices_ = 0;
  std::optional<base::Error> fault_;
  std::vector<cl_event> wait_;
  std::vector<Ref<Queue>> touched_;
  std::unordered_map<session::TransferId, Arrival> arrivals_;
  std::size_t awaited_ = 0;
};

}  // namespace longwire::worker::opencl
