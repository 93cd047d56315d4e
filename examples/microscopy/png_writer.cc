#include "png_writer.h"

#include <png.h>

#include <stdexcept>

namespace microscopy {

void write_png(const std::string& path, const Picture& picture) {
  static_assert(sizeof(Rgb) == 3, "rows are passed to libpng as they are");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&image, path.c_str(), 0, picture.pixels.data(), 0, nullptr) == 0) {
    throw std::runtime_error("cannot write " + path + ": " + image.message);
  }
}

}  // namespace microscopy
