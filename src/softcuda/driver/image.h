// Device code as programs hand it over, to a program of the machine; and the JIT options and logs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "softcuda/driver/driver.h"

namespace longwire::softcuda::driver {

// The options of cuModuleLoadDataEx and the linker. Those that only steer a compiler are accepted.
struct JitOptions {
  char* info_log = nullptr;
  char* error_log = nullptr;
  std::size_t info_bytes = 0, error_bytes = 0;
  void** info_bytes_out = nullptr;
  void** error_bytes_out = nullptr;
  void** wall_time_out = nullptr;

  // CUDA_ERROR_INVALID_VALUE: unknown options, or no place for values.
  CUresult read(unsigned int count, const CUjit_option* options, void** values);
  void report_error(std::string_view text) const;
  void report_success(float milliseconds) const;
};

// Links PTX texts. The error goes to the log.
CUresult link_texts(std::vector<std::string> texts, const JitOptions& jit,
                    std::shared_ptr<const ir::Module>& program);
// PTX text, a fat binary or its wrapper, as `image` begins.
CUresult load_image(const Driver& driver, const void* image, const JitOptions& jit,
                    std::shared_ptr<const ir::Module>& program);
// kFileNotFound where it cannot be read.
CUresult read_file(const char* path, std::string& bytes);

}  // namespace longwire::softcuda::driver
