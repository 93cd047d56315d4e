#include "softcuda/driver/image.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "softcuda/driver/stream.h"
#include "softcuda/fatbin/image.h"
#include "softcuda/interp/interp.h"
#include "softcuda/ir/link.h"
#include "softcuda/ptx/parser.h"

namespace longwire::softcuda::driver {
namespace {

constexpr double kNsOfMs = 1e6;
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;

std::size_t copy_log(char* log, std::size_t bytes, std::string_view text) {
  if (log == nullptr || bytes == 0) return 0;
  const std::size_t taken = std::min(bytes - 1, text.size());
  std::memcpy(log, text.data(), taken);
  log[taken] = '\0';
  return taken;
}

// An option's value is kept in the place of a pointer.
void put_number(void** place, std::uint32_t number) {
  if (place == nullptr) return;
  *place = nullptr;
  std::memcpy(place, &number, sizeof number);
}

CUresult result_of(const base::Error& error) {
  switch (error.code()) {
    case base::ErrorCode::kNotFound:
      return CUDA_ERROR_NOT_FOUND;
    case base::ErrorCode::kLimit:
      return CUDA_ERROR_OUT_OF_MEMORY;
    default:
      return CUDA_ERROR_INVALID_PTX;
  }
}

CUresult fail(const JitOptions& jit, const base::Error& error, CUresult result) {
  jit.report_error(error.message());
  return result;
}

}  // namespace

CUresult JitOptions::read(unsigned int count, const CUjit_option* options, void** values) {
  if (count > 0 && (options == nullptr || values == nullptr)) return CUDA_ERROR_INVALID_VALUE;
  for (unsigned int i = 0; i < count; ++i) {
    const auto number = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(values[i]));
    switch (options[i]) {
      case CU_JIT_INFO_LOG_BUFFER:
        info_log = static_cast<char*>(values[i]);
        break;
      case CU_JIT_ERROR_LOG_BUFFER:
        error_log = static_cast<char*>(values[i]);
        break;
      case CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES:
        info_bytes = number;
        info_bytes_out = &values[i];
        break;
      case CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES:
        error_bytes = number;
        error_bytes_out = &values[i];
        break;
      case CU_JIT_WALL_TIME:
        wall_time_out = &values[i];
        break;
      default:
        if (options[i] < 0 || options[i] >= CU_JIT_NUM_OPTIONS) return CUDA_ERROR_INVALID_VALUE;
    }
  }
  return CUDA_SUCCESS;
}

void JitOptions::report_error(std::string_view text) const {
  const std::size_t taken = copy_log(error_log, error_bytes, text);
  put_number(error_bytes_out, static_cast<std::uint32_t>(taken));
  put_number(info_bytes_out, 0);
  if (error_log == nullptr)  // nobody would know why
    std::fprintf(stderr, "soft CUDA device: %.*s\n", static_cast<int>(text.size()), text.data());
}

void JitOptions::report_success(float milliseconds) const {
  copy_log(error_log, error_bytes, "");
  copy_log(info_log, info_bytes, "");
  put_number(error_bytes_out, 0);
  put_number(info_bytes_out, 0);
  std::uint32_t bits = 0;
  std::memcpy(&bits, &milliseconds, sizeof bits);
  put_number(wall_time_out, bits);
}

CUresult parse_text(std::string name, std::string text, const JitOptions& jit, Sources& sources) {
  auto source = ptx::parse(std::move(name), std::move(text));
  if (!source.ok()) return fail(jit, source.error(), result_of(source.error()));
  sources.push_back(std::move(source).value());
  return CUDA_SUCCESS;
}

CUresult link_sources(const Sources& sources, std::uint64_t start_ns, const JitOptions& jit,
                      std::shared_ptr<const ir::Module>& program) {
  auto module = ir::link(sources);
  if (!module.ok()) return fail(jit, module.error(), result_of(module.error()));
  if (auto status = interp::check_supported(**module); !status.ok())
    return fail(jit, status.error(), CUDA_ERROR_INVALID_PTX);
  program = std::move(module).value();
  jit.report_success(static_cast<float>(static_cast<double>(now_ns() - start_ns) / kNsOfMs));
  return CUDA_SUCCESS;
}

CUresult image_error(const JitOptions& jit, const base::Error& error) {
  const bool no_code =
      error.code() == base::ErrorCode::kNotFound || error.code() == base::ErrorCode::kUnsupported;
  return fail(jit, error, no_code ? CUDA_ERROR_NO_BINARY_FOR_GPU : CUDA_ERROR_INVALID_IMAGE);
}

std::uint32_t capability_of(const Driver& driver) noexcept {
  constexpr int kTen = 10;
  return static_cast<std::uint32_t>(driver.options.capability_major * kTen +
                                    driver.options.capability_minor);
}

CUresult load_image(const Driver& driver, const void* image, const JitOptions& jit,
                    std::shared_ptr<const ir::Module>& program) {
  if (image == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const std::uint64_t start_ns = now_ns();
  auto texts = fatbin::ptx_of_image(image, capability_of(driver));
  if (!texts.ok()) return image_error(jit, texts.error());
  Sources sources;
  for (std::string& text : *texts) {
    std::string name = "ptx input " + std::to_string(sources.size() + 1);
    CUresult status = parse_text(std::move(name), std::move(text), jit, sources);
    if (status != CUDA_SUCCESS) return status;
  }
  return link_sources(sources, start_ns, jit, program);
}

CUresult read_file(const char* path, std::string& bytes) {
  std::FILE* file = std::fopen(path, "rbe");
  if (file == nullptr) return CUDA_ERROR_FILE_NOT_FOUND;
  char part[1 << 16];
  std::size_t got = 0;
  while (bytes.size() < kMaxFileBytes && (got = std::fread(part, 1, sizeof part, file)) > 0)
    bytes.append(part, got);
  const bool failed = std::ferror(file) != 0;
  std::fclose(file);
  return failed ? CUDA_ERROR_OPERATING_SYSTEM : CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver
