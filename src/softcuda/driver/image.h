// Device code as programs hand it over, to a program of the machine; and the JIT options and logs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "softcuda/driver/driver.h"
#include "softcuda/ptx/tree.h"

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

using Sources = std::vector<std::unique_ptr<ptx::Source>>;
// Adds a text to what will be linked. `name` is for messages. Errors go to the log, here and below.
CUresult parse_text(std::string name, std::string text, const JitOptions& jit, Sources& sources);
// `start_ns`: when the work began, for CU_JIT_WALL_TIME.
CUresult link_sources(const Sources& sources, std::uint64_t start_ns, const JitOptions& jit,
                      std::shared_ptr<const ir::Module>& program);
// What an image that is not usable is answered with.
CUresult image_error(const JitOptions& jit, const base::Error& error);
// 86 is 8.6
std::uint32_t capability_of(const Driver& driver) noexcept;
// PTX text, a fat binary or its wrapper, as `image` begins.
CUresult load_image(const Driver& driver, const void* image, const JitOptions& jit,
                    std::shared_ptr<const ir::Module>& program);
// kFileNotFound where it cannot be read.
CUresult read_file(const char* path, std::string& bytes);

}  // namespace longwire::softcuda::driver
