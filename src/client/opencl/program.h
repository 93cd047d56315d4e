// Program: behind cl_program. OpenCL 3.0, section 5.8. Building is in build.h.
//
// Threads: everything under one mutex; builds run on the node and end in Program::finish_build(),
// on the pumping thread or the thread that waits.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/opencl/device.h"
#include "client/opencl/object.h"
#include "client/opencl/program_shadow.h"

namespace longwire::client::opencl {

class Context;

enum class ProgramOrigin { kSource, kBinary, kIl, kBuiltInKernels, kLinked };

using ProgramCallback = void(CL_CALLBACK*)(cl_program, void*);

class Program final : public Object {
 public:
  static constexpr Kind kKind = Kind::kProgram;

  Program(Context& context, ProgramOrigin origin, std::vector<Device*> devices);
  ~Program() override;

  Context& context() const noexcept { return *context_; }
  ProgramOrigin origin() const noexcept { return origin_; }
  const std::vector<Ref<Device>>& devices() const noexcept { return devices_; }
  bool has_device(const Device& device) const noexcept;

  // --- what it was made from; set before the program gets the handle
  // -------------------------------
  void set_source(std::string source) { source_ = std::move(source); }
  void set_il(std::vector<std::byte> il) { il_ = std::move(il); }
  const std::string& source() const noexcept { return source_; }
  const std::vector<std::byte>& il() const noexcept { return il_; }

  // --- building
  // ---------------------------------------------------------------------------------------
  struct DeviceBuild {
    cl_build_status status = CL_BUILD_NONE;
    std::string options;  // as the program gave them
    InfoShadow infos;     // log, binary type, size of global variables, as the node answered
    cl_program_binary_type binary_type = CL_PROGRAM_BINARY_TYPE_NONE;
  };
  // CL_INVALID_OPERATION while kernels exist or one of `devices` is being built; otherwise marks
  // them CL_BUILD_IN_PROGRESS.
  cl_int begin_build(const std::vector<Device*>& devices, std::string options);
  // One node's answer; `record` is null when it sent none. Notes `status` for those devices.
  void finish_build(const std::vector<Device*>& devices, cl_int status,
                    const ::longwire::opencl::record::program* record);
  DeviceBuild build_of(const Device& device) const;
  bool has_executable() const;

  // --- kernels
  // ----------------------------------------------------------------------------------------
  std::vector<std::string> kernel_names() const;
  // CL_INVALID_PROGRAM_EXECUTABLE, CL_INVALID_KERNEL_NAME, or CL_SUCCESS with *shape; asks a node
  // (DescribeKernel) only for a kernel that the build reply had no room for.
  cl_int find_kernel(std::string_view name, std::shared_ptr<const KernelShape>* shape);
  void kernel_made() noexcept { kernels_.fetch_add(1); }
  void kernel_gone() noexcept { kernels_.fetch_sub(1); }

  InfoShadow infos() const;  // CL_PROGRAM_SCOPE_GLOBAL_*_PRESENT

  // Called when the program is gone; CL_INVALID_OPERATION semantics are the caller's.
  bool add_release_callback(ProgramCallback callback, void* user_data) noexcept;

 private:
  const Ref<Context> context_;
  const ProgramOrigin origin_;
  const std::vector<Ref<Device>> devices_;
  std::string source_;
  std::vector<std::byte> il_;
  std::atomic<int> kernels_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::map<wire::Handle, DeviceBuild> builds_;
  std::vector<std::string> kernel_names_;
  std::map<std::string, std::shared_ptr<const KernelShape>, std::less<>> shapes_;
  InfoShadow infos_;
  std::vector<std::pair<ProgramCallback, void*>> callbacks_;
};

}  // namespace longwire::client::opencl
