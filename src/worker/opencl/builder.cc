#include "worker/opencl/builder.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "opencl/messages.h"
#include "worker/opencl/program_info.h"

namespace longwire::worker::opencl {
namespace {

using Reply = longwire::opencl::msg::BuildProgram::Reply;

std::vector<std::byte> encoded(const Reply& reply) {
  std::vector<std::byte> bytes(encoded_size(reply));
  wire::Writer out(bytes);
  encode(out, reply);
  return bytes;
}

// Of a program with one device.
std::vector<std::byte> binary_of(const NativeApi& api, cl_program program) {
  std::size_t size = 0;
  if (api.clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, nullptr) !=
          CL_SUCCESS ||
      size == 0 || size > kMostEntryBytes)
    return {};
  std::vector<std::byte> binary(size);
  auto* data = reinterpret_cast<unsigned char*>(binary.data());
  if (api.clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof data, &data, nullptr) != CL_SUCCESS)
    return {};
  return binary;
}

}  // namespace

Builder::Builder(const NativeApi& api, const core::Services& services,
                 const std::filesystem::path& cache_folder)
    : api_(api), services_(services) {
  if (!cache_folder.empty()) cache_.emplace(cache_folder);
}

std::string Builder::key_of(const Program& program, const std::vector<cl_device_id>& devices,
                            const std::string& options) const {
  const auto& all = program.context->devices;
  if (!cache_ || all.size() != 1 || devices.size() > 1) return {};
  return build_key(api_, *all.front(), program.source, options);
}

void Builder::build(const Ref<Program>& program, const std::vector<cl_device_id>& devices,
                    const std::string& options, wire::Token token) {
  const std::string key = key_of(*program, devices, options);
  {
    const std::lock_guard lock(mutex_);
    built_.erase(program.get());
  }
  if (!key.empty()) {
    if (const auto cached = cache_->find(key)) {
      if (build_from(*cached, *program, options, token)) return;
    }
  }
  program->stand_on_source();
  const cl_int status = api_.clBuildProgram(program->native, static_cast<cl_uint>(devices.size()),
                                            devices.empty() ? nullptr : devices.data(),
                                            options.c_str(), nullptr, nullptr);
  ProgramInfo info(api_, program->context->devices);
  const Reply reply{info.describe(program->native)};
  services_.outbox.turn().reply(token, status, reply, CL_OUT_OF_RESOURCES);
  services_.outbox.flush();
  // Kernels that the reply has no room for are described later, which a binary may not allow.
  const bool whole = reply.program.kernels.size() == reply.program.kernel_names.size();
  if (key.empty() || status != CL_SUCCESS || !whole) return;
  const std::lock_guard lock(mutex_);
  if (built_.size() < kMostBuildsToKeep) built_[program.get()] = {program, key, encoded(reply)};
}

bool Builder::build_from(const CachedBuild& cached, Program& program, const std::string& options,
                         wire::Token token) {
  wire::Reader in(cached.reply);
  Reply reply;
  decode(in, reply);
  if (!in.ok()) return false;
  const Handle device = program.context->devices.front()->handle();
  for (auto& one : reply.program.devices)
    one.device = device;
  for (auto& kernel : reply.program.kernels)
    for (auto& one : kernel.devices)
      one.device = device;
  const cl_program native = load(program, cached.binary, options);
  if (native == nullptr) return false;
  program.stand_on_binary(native);
  services_.outbox.turn().reply(token, CL_SUCCESS, reply, CL_OUT_OF_RESOURCES);
  services_.outbox.flush();
  return true;
}

cl_program Builder::load(const Program& program, const std::vector<std::byte>& binary,
                         const std::string& options) const {
  const cl_device_id device = program.context->devices.front()->native;
  const std::size_t size = binary.size();
  const auto* data = reinterpret_cast<const unsigned char*>(binary.data());
  cl_int its = CL_SUCCESS;
  cl_int status = CL_SUCCESS;
  const cl_program native = api_.clCreateProgramWithBinary(program.context->native, 1, &device,
                                                           &size, &data, &its, &status);
  if (status != CL_SUCCESS || native == nullptr) return nullptr;
  if (its == CL_SUCCESS &&
      api_.clBuildProgram(native, 1, &device, options.c_str(), nullptr, nullptr) == CL_SUCCESS)
    return native;
  api_.clReleaseProgram(native);
  return nullptr;
}

void Builder::keep_builds() {
  std::map<const Program*, Built> built;
  {
    const std::lock_guard lock(mutex_);
    built.swap(built_);
  }
  if (built.empty()) return;
  ::setpriority(PRIO_PROCESS, 0, 19);  // of this thread
  const base::Nanoseconds until_ns = services_.clock.now_ns() + kMostKeepingNs;
  for (const auto& [program, one] : built) {
    if (services_.stopped() || services_.clock.now_ns() > until_ns) return;
    keep(one);
  }
}

// Only what comes back as it was: same kernels, same bytes.
void Builder::keep(const Built& built) const {
  const cl_program native = built.program->native;
  CachedBuild build{binary_of(api_, native), built.reply};
  if (build.binary.empty()) return;
  const cl_program again = load(*built.program, build.binary, "");
  if (again == nullptr) return;
  InfoBytes bytes;
  const auto names = [&](cl_program of) {
    return take_info(CL_PROGRAM_KERNEL_NAMES, bytes,
                     [&](std::size_t size, void* value, std::size_t* out) {
                       return api_.clGetProgramInfo(of, CL_PROGRAM_KERNEL_NAMES, size, value, out);
                     });
  };
  const auto before = names(native);
  const auto after = names(again);
  const bool same = before.status == CL_SUCCESS && after.status == CL_SUCCESS &&
                    std::ranges::equal(before.value, after.value) &&
                    binary_of(api_, again) == build.binary;
  api_.clReleaseProgram(again);
  if (same) cache_->store(built.key, build);
}

}  // namespace longwire::worker::opencl
