// Native creations that take more than one call to get right over all vendor drivers: what
// api/opencl/functions.toml names in its [worker.*] tables. All set *status.
#pragma once

#include <CL/cl.h>

#include "opencl/native_api.h"
#include "wire/reader.h"

namespace longwire::worker::opencl {

// `properties` as clCreateCommandQueueWithProperties takes them, or empty. Drivers older than
// OpenCL 2.0 get CL_QUEUE_PROPERTIES by clCreateCommandQueue, and CL_INVALID_QUEUE_PROPERTIES for
// others.
cl_command_queue create_command_queue(const longwire::opencl::NativeApi& api, cl_context context,
                                      cl_device_id device, wire::U64View properties,
                                      cl_int* status);

// `properties` as clCreateSamplerWithProperties takes them. `legacy`: made by clCreateSampler,
// which every driver has.
cl_sampler create_sampler(const longwire::opencl::NativeApi& api, cl_context context,
                          wire::U64View properties, bool legacy, cl_int* status);

cl_mem create_sub_buffer(const longwire::opencl::NativeApi& api, cl_mem parent, std::uint64_t flags,
                         std::uint64_t origin, std::uint64_t size, cl_int* status);

}  // namespace longwire::worker::opencl
