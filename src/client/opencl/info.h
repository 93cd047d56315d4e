// The size rules that every clGet*Info query shares (OpenCL 3.0, e.g. section 4.1): null value is
// allowed, too small a value is CL_INVALID_VALUE, the true size is reported in any case of success.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include <CL/cl.h>

// Returns the cl_int of `expr` from the calling function unless it is CL_SUCCESS.
#define LW_CL_TRY(expr)                                                                \
  do {                                                                                 \
    if (const cl_int lw_status_ = (expr); lw_status_ != CL_SUCCESS) return lw_status_; \
  } while (false)

namespace longwire::client::opencl {

// Where a query's answer goes: the last three parameters of the call.
class InfoOut {
 public:
  InfoOut(std::size_t value_bytes, void* value, std::size_t* size_out) noexcept
      : value_bytes_(value_bytes), value_(value), size_out_(size_out) {}

  cl_int bytes(const void* data, std::size_t size) const noexcept {
    if (value_ != nullptr) {
      if (value_bytes_ < size) return CL_INVALID_VALUE;
      if (size != 0) std::memcpy(value_, data, size);
    }
    if (size_out_ != nullptr) *size_out_ = size;
    return CL_SUCCESS;
  }
  cl_int bytes(std::span<const std::byte> data) const noexcept {
    return bytes(data.data(), data.size());
  }
  // One value of the type that the specification names: info.value<cl_uint>(…).
  template <class T>
  cl_int value(std::type_identity_t<T> v) const noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    return bytes(&v, sizeof v);
  }
  template <class T>
  cl_int array(std::span<const T> values) const noexcept {
    return bytes(values.data(), values.size_bytes());
  }
  // With the terminating zero. `text` need not have one.
  cl_int string(std::string_view text) const noexcept;

  std::size_t value_bytes() const noexcept { return value_bytes_; }
  void* value() const noexcept { return value_; }
  std::size_t* size_out() const noexcept { return size_out_; }

 private:
  std::size_t value_bytes_;
  void* value_;
  std::size_t* size_out_;
};

}  // namespace longwire::client::opencl
