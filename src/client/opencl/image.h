// Image: a cl_mem that is an image of any type. OpenCL 3.0, section 5.3.
#pragma once

#include <utility>

#include "client/opencl/image_layout.h"
#include "client/opencl/info.h"
#include "client/opencl/memory.h"

namespace longwire::client::opencl {

struct ImageFacts {
  cl_image_format format{};
  ImageShape shape;
  std::size_t row_pitch = 0;    // of the host's view: as given with a host pointer, else tight;
  std::size_t slice_pitch = 0;  // with a parent, the parent's. Reported, and used by maps.
  cl_uint num_mip_levels = 0;
  cl_uint num_samples = 0;
};

class Image final : public Memory {
 public:
  Image(Context& context, Memory* parent, MemoryFacts memory, ImageFacts image)
      : Memory(context, parent, std::move(memory)), image_(image) {}

  Image* as_image() noexcept override { return this; }
  const ImageFacts& image() const noexcept { return image_; }
  const ImageShape& shape() const noexcept { return image_.shape; }
  // The host's view of a region, in a shadow that begins at `base`.
  Rows shadow_rows(const Extent3& origin, const Extent3& region, std::byte* base) const noexcept;

  cl_int get_info(cl_image_info param, const InfoOut& out) noexcept;

 private:
  const ImageFacts image_;
};

}  // namespace longwire::client::opencl
