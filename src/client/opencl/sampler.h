// Sampler: behind cl_sampler. OpenCL 3.0, section 5.7.
#pragma once

#include <vector>

#include "client/opencl/object.h"

namespace longwire::client::opencl {

class Context;
class InfoOut;

struct SamplerFacts {
  cl_bool normalized = CL_TRUE;
  cl_addressing_mode addressing = CL_ADDRESS_CLAMP;
  cl_filter_mode filter = CL_FILTER_NEAREST;
  std::vector<cl_sampler_properties> properties;  // as given, with the final 0; empty when NULL
};

class Sampler final : public Object {
 public:
  static constexpr Kind kKind = Kind::kSampler;

  Sampler(Context& context, SamplerFacts facts);
  ~Sampler() override;

  Context& context() const noexcept { return *context_; }
  const SamplerFacts& facts() const noexcept { return facts_; }

  cl_int get_info(cl_sampler_info param, const InfoOut& out) noexcept;

 private:
  const Ref<Context> context_;
  const SamplerFacts facts_;
};

}  // namespace longwire::client::opencl
