// Program: behind cl_program. OpenCL 3.0, section 5.8. Building is in build.h.
//
// Threads: everything may be called from any thread; what builds change is under one mutex. Builds
// run on the node and end in finish_build(), on the pumping thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/opencl/context.h"
#include "client/opencl/device.h"
#include "client/opencl/info.h"
#include "client/opencl/object.h"
#include "client/opencl/program_shadow.h"

namespace longwire::client::opencl {

enum class ProgramOrigin { kSource, kBinary, kIl, kBuiltInKernels, kLinked };

using DeviceList = std::vector<Ref<Device>>;

class Program final : public Object {
 public:
  static constexpr Kind kKind = Kind::kProgram;

  Program(Context& context, ProgramOrigin origin, DeviceList devices);
  ~Program() override;

  Context& context() const noexcept { return *context_; }
  ProgramOrigin origin() const noexcept { return origin_; }
  const DeviceList& devices() const noexcept { return devices_; }
  bool has_device(const Device& device) const noexcept;
  // The program's device of that handle on `node`; null for others.
  const Device* find_device(const Node& node, wire::Handle handle) const noexcept;

  // --- what it was made from: set before the program gets the handle
  // ------------------------------ A source program is made on the nodes by its first build, whose
  // options say where its headers are (program_includes.h); a later build with other headers makes
  // it anew, under a new handle.
  wire::Handle node_handle() const noexcept { return node_handle_; }
  void mark_sent() noexcept { sent_ = true; }
  // `embedded`: names that the node is given headers for. Nothing for other programs.
  cl_int send_source(std::string_view options, const std::vector<std::string_view>& embedded);
  // For what is used without being built: a header, an input of a link.
  cl_int send_source_once() { return sent_ ? CL_SUCCESS : send_source({}, {}); }
  void set_source(std::string source) { source_ = std::move(source); }
  void set_il(std::vector<std::byte> il) { il_ = std::move(il); }
  const std::string& source() const noexcept { return source_; }
  const std::vector<std::byte>& il() const noexcept { return il_; }

  // --- building
  // -----------------------------------------------------------------------------------
  struct DeviceBuild {
    cl_build_status status = CL_BUILD_NONE;
    std::string options;  // as the program gave them
    // clGetKernelArgInfo answers only where the program asked for that information. (The node
    // always asks its compiler for it.) Without any options PoCL answers, too.
    bool shows_arg_info = true;
    InfoShadow infos;  // log, binary type, size of global variables, as the node answered
    cl_program_binary_type binary_type = CL_PROGRAM_BINARY_TYPE_NONE;
  };
  // CL_INVALID_OPERATION while kernels exist or one of `devices` is being built; otherwise marks
  // them CL_BUILD_IN_PROGRESS.
  // `options` may be null.
  cl_int begin_build(const DeviceList& devices, const char* options);
  // One node's answer about `devices`; `record` is null when it sent none.
  void finish_build(const Node& node, const DeviceList& devices, cl_int status,
                    const ::longwire::opencl::record::program* record);
  // What a node says of the binaries that it was given, before any build.
  void note_binaries(const Node& node, const ::longwire::opencl::record::program& record);
  DeviceBuild build_of(const Device& device) const;
  bool is_building() const;
  bool shows_arg_info() const;
  bool has_executable() const;
  bool has_executable_for(const Device& device) const;
  // The nodes where kernels can be made.
  std::vector<Node*> executable_nodes() const;

  // --- kernels
  // ------------------------------------------------------------------------------------
  std::vector<std::string> kernel_names() const;
  // CL_INVALID_PROGRAM_EXECUTABLE, CL_INVALID_KERNEL_NAME, or CL_SUCCESS with *shape; asks a node
  // (DescribeKernel) only for a kernel that the build reply had no room for.
  cl_int find_kernel(std::string_view name, std::shared_ptr<const KernelShape>* shape);
  void kernel_made() noexcept { kernels_.fetch_add(1); }
  void kernel_gone() noexcept { kernels_.fetch_sub(1); }

  cl_int get_info(cl_program_info param, const InfoOut& out) noexcept;
  cl_int get_build_info(const Device& device, cl_program_build_info param,
                        const InfoOut& out) const noexcept;

 private:
  cl_int describe_kernel(const std::string& name, std::shared_ptr<const KernelShape>* shape);
  void take_kernels(const Node& node, const ::longwire::opencl::record::program& record);
  bool executable_locked() const;
  bool any_built() const;  // also compiled, or linked as a library
  std::size_t place_of(const Device& device) const noexcept;  // in devices()
  cl_int binary_sizes(const InfoOut& out) noexcept;
  cl_int binaries(const InfoOut& out) noexcept;
  std::size_t told_size(const Device& device) const;

  const Ref<Context> context_;
  const ProgramOrigin origin_;
  const DeviceList devices_;
  std::string source_;
  std::vector<std::byte> il_;
  std::atomic<int> kernels_{0};
  std::mutex sending_;       // guards the next three
  std::string sent_source_;  // with its headers
  std::atomic<bool> sent_{false};
  std::atomic<wire::Handle> node_handle_;

  mutable std::mutex mutex_;  // guards what follows
  std::map<const Device*, DeviceBuild> builds_;
  std::vector<std::string> kernel_names_;
  std::map<std::string, std::shared_ptr<const KernelShape>, std::less<>> shapes_;
  InfoShadow infos_;
  std::vector<std::size_t> told_sizes_;  // the last answer to CL_PROGRAM_BINARY_SIZES
};

// The devices of a call's device_list: all of `all` for none. CL_INVALID_VALUE where count and list
// do not agree, CL_INVALID_DEVICE for one that is not among them.
cl_int read_device_list(std::span<const Ref<Device>> all, cl_uint count,
                        const cl_device_id* devices, DeviceList* list);

// `devices` by the node that has them, in order.
std::vector<std::pair<Node*, DeviceList>> by_node(const DeviceList& devices);
std::vector<wire::Handle> handles_of(const DeviceList& devices);

}  // namespace longwire::client::opencl
