// Commands: what the worker does for each message that is not executed by generated code. One .cc
// file per kind of object:
//   commands_queries.cc    platforms, devices, timers, image formats
//   commands_objects.cc    contexts, queues, memory objects, events; releases
//   commands_programs.cc   programs and kernels
//   commands_transfers.cc  reads and writes, Finish and what else needs its own completion
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "opencl/worker_dispatch.h"
#include "worker/opencl/builder.h"
#include "worker/opencl/infos.h"
#include "worker/opencl/session_state.h"
#include "worker/opencl/transfers.h"

namespace longwire::worker::opencl {

class Commands final : public AutoCommands {
 public:
  Commands(SessionState& state, const std::filesystem::path& build_cache)
      : AutoCommands(state),
        state_(state),
        transfers_(state),
        builder_(state.cl(), state.services(), build_cache) {}

  using AutoCommands::on;
  base::Status on(const msg::DescribePlatforms& m) override;
  base::Status on(const msg::GetDeviceInfo& m) override;
  base::Status on(const msg::CreateSubDevices& m) override;
  base::Status on(const msg::GetDeviceAndHostTimer& m) override;
  base::Status on(const msg::GetSupportedImageFormats& m) override;

  base::Status on(const msg::ReleaseObject& m) override;
  base::Status on(const msg::CreateContext& m) override;
  base::Status on(const msg::CreateCommandQueue& m) override;
  base::Status on(const msg::CreateBuffer& m) override;
  base::Status on(const msg::CreateSubBuffer& m) override;
  base::Status on(const msg::CreateImage& m) override;
  base::Status on(const msg::GetImageRequirements& m) override;
  base::Status on(const msg::CreateSampler& m) override;
  base::Status on(const msg::CreateKernel& m) override;
  base::Status on(const msg::CloneKernel& m) override;
  base::Status on(const msg::CreateUserEvent& m) override;

  base::Status on(const msg::CreateProgramWithSource& m) override;
  base::Status on(const msg::CreateProgramWithBinary& m) override;
  base::Status on(const msg::CreateProgramWithIL& m) override;
  base::Status on(const msg::CreateProgramWithBuiltInKernels& m) override;
  base::Status on(const msg::BuildProgram& m) override;
  base::Status on(const msg::CompileProgram& m) override;
  base::Status on(const msg::LinkProgram& m) override;
  base::Status on(const msg::SetProgramSpecializationConstant& m) override;
  base::Status on(const msg::GetProgramBinaries& m) override;
  base::Status on(const msg::FetchProgramBinaries& m) override;
  base::Status on(const msg::DescribeKernel& m) override;
  base::Status on(const msg::SetKernelArg& m) override;
  base::Status on(const msg::GetKernelSubGroupInfo& m) override;
  base::Status on(const msg::GetKernelWorkGroupInfo& m) override;
  base::Status on(const msg::GetKernelSuggestedLocalWorkSize& m) override;

  base::Status on(const msg::SetUserEventStatus& m) override;
  base::Status on(const msg::SubscribeEvent& m) override;

  base::Status on(const msg::EnqueueNDRangeKernel& m) override;
  base::Status on(const msg::EnqueueReadBuffer& m) override;
  base::Status on(const msg::EnqueueWriteBuffer& m) override;
  base::Status on(const msg::EnqueueReadBufferRect& m) override;
  base::Status on(const msg::EnqueueWriteBufferRect& m) override;
  base::Status on(const msg::EnqueueReadImage& m) override;
  base::Status on(const msg::EnqueueWriteImage& m) override;
  base::Status on(const msg::EnqueueNothing& m) override;
  base::Status on(const msg::Finish& m) override;

  // Describes the platforms unasked.
  void introduce();
  // The session ends: lets every command go that still waits for data.
  void give_up() { transfers_.give_up(); }
  // Nothing runs natively any more.
  void keep_builds() { builder_.keep_builds(); }

 private:
  struct PlatformDevices {
    cl_platform_id platform;
    std::vector<Ref<Device>> devices;
  };

  const NativeApi& api() const { return state_.cl(); }
  const core::Services& services() const { return state_.services(); }
  void reply(wire::Token token, cl_int status);
  template <class R>
  void reply(wire::Token token, cl_int status, const R& fields) {
    services().outbox.turn().reply(token, status, fields, CL_OUT_OF_RESOURCES);
  }
  // Before generated code creates something natively: a wire fault if the handle cannot be new.
  base::Status check_new(Handle handle, Kind kind) const;
  void find_platforms();
  std::vector<longwire::opencl::record::platform> describe_platforms(InfoBytes& bytes);
  bool is_granted(cl_device_id device, std::size_t number) const;
  std::vector<longwire::opencl::record::info> infos_of(cl_device_id device, InfoBytes& bytes) const;
  // Of a device's memory a session is shown what it may have.
  void show_share(longwire::opencl::record::info& info, InfoBytes& bytes) const;
  Device* add_device(cl_device_id native, cl_platform_id platform, bool sub);
  void add_memory(Handle handle, Context* context, cl_mem native, cl_int status,
                  Reservation reserved);
  cl_int set_user_event(Event& event, cl_int execution_status);
  void abandon(Event& event);
  // Resolves handles; an unknown one makes *status an error.
  std::vector<Ref<Device>> devices_of(wire::U64View handles, cl_int* status);
  // As devices_of(), of programs that have their native side.
  std::vector<Ref<Program>> programs_of(wire::U64View handles, cl_int* status);
  // A program and the devices to build it for; or the client has been told why not.
  struct BuildTarget {
    Ref<Program> program;
    std::vector<cl_device_id> devices;
  };
  std::optional<BuildTarget> build_target(Handle program, wire::U64View devices, wire::Token token,
                                          cl_int status = CL_SUCCESS);
  // The reply of everything that makes or builds a program; `R` has one field, the description.
  template <class R>
  void reply_with_program(wire::Token token, cl_int status, const Program& program);
  // Runs `job` on a mirror thread and has it reply; CL_OUT_OF_RESOURCES when there is no thread.
  void on_mirror(wire::Token token, std::function<void()> job);
  cl_int set_argument(cl_kernel kernel, const msg::SetKernelArg& m);

  SessionState& state_;
  Transfers transfers_;
  Builder builder_;
  bool described_ = false;
  std::vector<PlatformDevices> platforms_;
  // What the contexts' error callbacks get. Natively a context may outlive its handle, so these
  // stay until the session ends. Shared with nobody: typed by their maker.
  std::vector<std::shared_ptr<void>> notifiers_;
};

}  // namespace longwire::worker::opencl
