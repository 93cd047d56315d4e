#include "client/opencl/sampler.h"

#include <new>
#include <span>

#include "client/opencl/context.h"
#include "client/opencl/enqueue.h"
#include "client/opencl/info.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

bool is_addressing(cl_sampler_properties value) noexcept {
  return value >= CL_ADDRESS_NONE && value <= CL_ADDRESS_MIRRORED_REPEAT;
}
bool is_filter(cl_sampler_properties value) noexcept {
  return value == CL_FILTER_NEAREST || value == CL_FILTER_LINEAR;
}

cl_int check_images(const Context& context) noexcept {
  for (const Ref<Device>& device : context.devices()) {
    if (device->image_support()) return CL_SUCCESS;
  }
  return CL_INVALID_OPERATION;
}

// Reads the list of clCreateSamplerWithProperties; each name at most once.
cl_int read_properties(const cl_sampler_properties* list, SamplerFacts* facts) {
  if (list == nullptr) return CL_SUCCESS;
  bool seen[3] = {false, false, false};
  for (; *list != 0; list += 2) {
    const cl_sampler_properties name = list[0];
    const cl_sampler_properties value = list[1];
    if (name < CL_SAMPLER_NORMALIZED_COORDS || name > CL_SAMPLER_FILTER_MODE)
      return CL_INVALID_VALUE;
    if (std::exchange(seen[name - CL_SAMPLER_NORMALIZED_COORDS], true)) return CL_INVALID_VALUE;
    if (name == CL_SAMPLER_NORMALIZED_COORDS) {
      if (value > CL_TRUE) return CL_INVALID_VALUE;
      facts->normalized = static_cast<cl_bool>(value);
    } else if (name == CL_SAMPLER_ADDRESSING_MODE) {
      if (!is_addressing(value)) return CL_INVALID_VALUE;
      facts->addressing = static_cast<cl_addressing_mode>(value);
    } else {
      if (!is_filter(value)) return CL_INVALID_VALUE;
      facts->filter = static_cast<cl_filter_mode>(value);
    }
    facts->properties.insert(facts->properties.end(), {name, value});
  }
  facts->properties.push_back(0);
  return CL_SUCCESS;
}

cl_int create_sampler(Context& context, SamplerFacts facts, bool legacy, Sampler** created) {
  LW_CL_TRY(check_images(context));
  auto* const sampler = new (std::nothrow) Sampler(context, std::move(facts));
  if (sampler == nullptr) return CL_OUT_OF_HOST_MEMORY;
  const SamplerFacts& is = sampler->facts();
  const std::uint64_t properties[] = {CL_SAMPLER_NORMALIZED_COORDS,
                                      is.normalized,
                                      CL_SAMPLER_ADDRESSING_MODE,
                                      is.addressing,
                                      CL_SAMPLER_FILTER_MODE,
                                      is.filter,
                                      0};
  msg::CreateSampler message;
  message.sampler = sampler->handle();
  message.context = context.handle();
  message.properties = wire::U64View(std::span<const std::uint64_t>(properties));
  message.legacy = legacy ? 1 : 0;
  if (const cl_int status = context.send_to_all(message); status != CL_SUCCESS) {
    sampler->release_api();
    return status;
  }
  *created = sampler;
  return CL_SUCCESS;
}

template <class Make>
cl_sampler give_sampler(cl_context handle, cl_int* errcode_ret, Make&& make) noexcept {
  Sampler* created = nullptr;
  Context* const context = from_cl<Context>(handle);
  const cl_int status = context == nullptr ? CL_INVALID_CONTEXT : make(*context, &created);
  if (errcode_ret != nullptr) *errcode_ret = status;
  return to_cl<cl_sampler>(created);
}

}  // namespace

Sampler::Sampler(Context& context, SamplerFacts facts)
    : Object(Kind::kSampler, context.new_handle(Kind::kSampler)),
      context_(&context),
      facts_(std::move(facts)) {
  context.runtime().add_object(*this);
}

Sampler::~Sampler() {
  context_->runtime().remove_object(*this);
  context_->release_on_all(handle());  // kernels hold nothing of their arguments; see memory.h
}

cl_int Sampler::get_info(cl_sampler_info param, const InfoOut& out) noexcept {
  switch (param) {
    case CL_SAMPLER_REFERENCE_COUNT:
      return out.value<cl_uint>(api_references());
    case CL_SAMPLER_CONTEXT:
      return out.value<cl_context>(to_cl<cl_context>(context_.get()));
    case CL_SAMPLER_NORMALIZED_COORDS:
      return out.value<cl_bool>(facts_.normalized);
    case CL_SAMPLER_ADDRESSING_MODE:
      return out.value<cl_addressing_mode>(facts_.addressing);
    case CL_SAMPLER_FILTER_MODE:
      return out.value<cl_filter_mode>(facts_.filter);
    case CL_SAMPLER_PROPERTIES:
      return out.array<cl_sampler_properties>(std::span(facts_.properties));
    default:
      return CL_INVALID_VALUE;
  }
}

namespace api {

cl_sampler CreateSamplerWithProperties(cl_context context,
                                       const cl_sampler_properties* sampler_properties,
                                       cl_int* errcode_ret) noexcept {
  return give_sampler(context, errcode_ret, [&](Context& in, Sampler** created) -> cl_int {
    SamplerFacts facts;
    LW_CL_TRY(read_properties(sampler_properties, &facts));
    return create_sampler(in, std::move(facts), false, created);
  });
}

cl_sampler CreateSampler(cl_context context, cl_bool normalized_coords,
                         cl_addressing_mode addressing_mode, cl_filter_mode filter_mode,
                         cl_int* errcode_ret) noexcept {
  return give_sampler(context, errcode_ret, [&](Context& in, Sampler** created) -> cl_int {
    if (!is_addressing(addressing_mode) || !is_filter(filter_mode) || normalized_coords > CL_TRUE)
      return CL_INVALID_VALUE;
    return create_sampler(in, {normalized_coords, addressing_mode, filter_mode, {}}, true, created);
  });
}

cl_int RetainSampler(cl_sampler handle) noexcept {
  Sampler* const sampler = from_cl<Sampler>(handle);
  if (sampler == nullptr) return CL_INVALID_SAMPLER;
  sampler->retain_api();
  return CL_SUCCESS;
}

cl_int ReleaseSampler(cl_sampler handle) noexcept {
  Sampler* const sampler = from_cl<Sampler>(handle);
  if (sampler == nullptr) return CL_INVALID_SAMPLER;
  return sampler->release_api() ? CL_SUCCESS : CL_INVALID_SAMPLER;
}

cl_int GetSamplerInfo(cl_sampler handle, cl_sampler_info param_name, size_t param_value_size,
                      void* param_value, size_t* param_value_size_ret) noexcept {
  Sampler* const sampler = from_cl<Sampler>(handle);
  if (sampler == nullptr) return CL_INVALID_SAMPLER;
  return sampler->get_info(param_name,
                           InfoOut(param_value_size, param_value, param_value_size_ret));
}

}  // namespace api
}  // namespace longwire::client::opencl
