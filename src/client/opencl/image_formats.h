// What clGetSupportedImageFormats and clCreateImage ask the nodes of a context. OpenCL 3.0, 5.3.2.
#pragma once

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <CL/cl.h>

namespace longwire::client::opencl {

class Context;

// The image formats that the nodes of a context support: asked once per kind of image.
class ImageFormats {
 public:
  // CL_SUCCESS with *formats (valid as long as this object), or why the nodes could not be asked.
  cl_int supported(Context& context, cl_mem_flags flags, cl_mem_object_type type,
                   const std::vector<cl_image_format>** formats) noexcept;

 private:
  std::mutex mutex_;
  std::map<std::pair<cl_mem_flags, cl_mem_object_type>, std::vector<cl_image_format>> known_;
};

}  // namespace longwire::client::opencl
