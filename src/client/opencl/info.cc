#include "client/opencl/info.h"

namespace longwire::client::opencl {

cl_int InfoOut::string(std::string_view text) const noexcept {
  const std::size_t size = text.size() + 1;
  if (value_ != nullptr) {
    if (value_bytes_ < size) return CL_INVALID_VALUE;
    if (!text.empty()) std::memcpy(value_, text.data(), text.size());
    static_cast<char*>(value_)[text.size()] = '\0';
  }
  if (size_out_ != nullptr) *size_out_ = size;
  return CL_SUCCESS;
}

}  // namespace longwire::client::opencl
