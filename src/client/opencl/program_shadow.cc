#include "client/opencl/program_shadow.h"

namespace longwire::client::opencl {
namespace {

namespace record = ::longwire::opencl::record;

ArgKind kind_of(std::uint32_t kind) noexcept {
  return kind <= static_cast<std::uint32_t>(ArgKind::kOther) ? static_cast<ArgKind>(kind)
                                                             : ArgKind::kUnknown;
}

ArgShape arg_from(const record::kernel_arg& arg) {
  ArgShape shape;
  shape.has_info = arg.has_info != 0;
  shape.kind = kind_of(arg.kind);
  shape.address = arg.address;
  shape.access = arg.access;
  shape.type_qualifier = arg.type_qualifier;
  shape.type_name = arg.type_name;
  shape.name = arg.name;
  shape.value_bytes = arg.value_bytes;
  return shape;
}

}  // namespace

void InfoShadow::assign(const std::vector<record::info>& infos) {
  answers_.clear();
  for (const record::info& info : infos)
    answers_[info.param] = {info.status, {info.value.begin(), info.value.end()}};
}

void InfoShadow::set(cl_uint param, std::vector<std::byte> value) {
  answers_[param] = {CL_SUCCESS, std::move(value)};
}

cl_int InfoShadow::give(cl_uint param, const InfoOut& out) const noexcept {
  const auto found = answers_.find(param);
  if (found == answers_.end()) return CL_INVALID_VALUE;
  const Answer& answer = found->second;
  return answer.status == CL_SUCCESS ? out.bytes(answer.value) : answer.status;
}

std::shared_ptr<const KernelShape> KernelShape::from(const record::kernel& record,
                                                     const DeviceOf& device_of,
                                                     const KernelShape* before) {
  auto shape = std::make_shared<KernelShape>();
  if (before != nullptr) shape->by_device = before->by_device;
  shape->name = record.name;
  shape->infos.assign(record.infos);
  for (const record::kernel_arg& arg : record.args)
    shape->args.push_back(arg_from(arg));
  for (const record::kernel_device& on : record.devices) {
    if (const Device* device = device_of(on.device); device != nullptr)
      shape->by_device[device].assign(on.infos);
  }
  return shape;
}

}  // namespace longwire::client::opencl
