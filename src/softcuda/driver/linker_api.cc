// The linker: several PTX texts and fat binaries into one image, which cuModuleLoadData and its
// like take. The image is a fat binary with all the texts: linked for the check in cuLinkComplete,
// and once more when it is loaded.
#include <cstring>
#include <span>

#include "softcuda/driver/image.h"
#include "softcuda/driver/stream.h"
#include "softcuda/fatbin/fatbin.h"

namespace longwire::softcuda::driver {

inline constexpr std::size_t kMaxLinkInputs = 1024;
inline constexpr std::size_t kMaxLinkBytes = fatbin::kMaxPtxBytes;  // of all texts

struct LinkState {
  std::mutex mutex;  // of all
  JitOptions jit;    // points into the program's options, as documented
  Sources sources;
  std::size_t bytes = 0;
  std::vector<std::byte> image;  // once it is complete; the program has its address
};

}  // namespace longwire::softcuda::driver

using namespace longwire::softcuda::driver;
namespace fatbin = longwire::softcuda::fatbin;
namespace ir = longwire::softcuda::ir;

namespace {

constexpr std::uint32_t kElfMagic = 0x464c457f;
constexpr std::size_t kMaxNameBytes = 256;

CUresult create(unsigned int count, const CUjit_option* options, void** values,
                CUlinkState* handle) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto state = std::make_shared<LinkState>();
    if (CUresult status = state->jit.read(count, options, values); status != CUDA_SUCCESS)
      return status;
    *handle = driver.links.add(std::move(state));
    return CUDA_SUCCESS;
  });
}

template <class Body>
CUresult with_link(CUlinkState handle, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    auto state = driver.links.find(handle);
    if (state == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    std::lock_guard lock(state->mutex);
    return body(driver, *state);
  });
}

CUresult add_text(LinkState& state, const std::string& name, std::string text) {
  if (state.sources.size() == kMaxLinkInputs || text.size() > kMaxLinkBytes - state.bytes) {
    state.jit.report_error("too much to link: at most 1024 inputs of 256 MiB together");
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  const std::size_t bytes = text.size();
  CUresult status = parse_text(name, std::move(text), state.jit, state.sources);
  if (status == CUDA_SUCCESS) state.bytes += bytes;
  return status;
}

// A fat binary, or an image that a link made.
CUresult add_container(const Driver& driver, LinkState& state, const std::string& name,
                       std::span<const std::byte> bytes) {
  std::uint32_t magic = 0;
  std::memcpy(&magic, bytes.data(), std::min(sizeof magic, bytes.size()));
  if (magic == kElfMagic) {
    state.jit.report_error(name + " is machine code (cubin); only PTX can be linked");
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  }
  auto texts = fatbin::texts_for(bytes, capability_of(driver));
  if (!texts.ok()) return image_error(state.jit, texts.error());
  for (std::string& text : *texts)
    if (CUresult status = add_text(state, name, std::move(text)); status != CUDA_SUCCESS)
      return status;
  return CUDA_SUCCESS;
}

CUresult add(const Driver& driver, LinkState& state, CUjitInputType type, std::string name,
             std::span<const std::byte> bytes) {
  if (!state.image.empty()) return CUDA_ERROR_INVALID_VALUE;
  if (name.empty()) name = "ptx input " + std::to_string(state.sources.size() + 1);
  switch (type) {
    case CU_JIT_INPUT_PTX: {
      const auto* text = reinterpret_cast<const char*>(bytes.data());
      return add_text(state, name, std::string(text, strnlen(text, bytes.size())));
    }
    case CU_JIT_INPUT_CUBIN:
    case CU_JIT_INPUT_FATBINARY:
      return add_container(driver, state, name, bytes);
    case CU_JIT_INPUT_OBJECT:
    case CU_JIT_INPUT_LIBRARY:
    case CU_JIT_INPUT_NVVM:
      state.jit.report_error(name + ": objects, libraries and NVVM are not supported, PTX is");
      return CUDA_ERROR_NOT_SUPPORTED;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

// The options of one input steer a compiler: they are looked at and have no effect.
CUresult check_options(unsigned int count, const CUjit_option* options, void** values) {
  return JitOptions{}.read(count, options, values);
}

CUresult add_data(CUlinkState handle, CUjitInputType type, const void* data, size_t bytes,
                  const char* name, unsigned int count, const CUjit_option* options,
                  void** values) {
  return with_link(handle, [&](Driver& driver, LinkState& state) -> CUresult {
    if (data == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_options(count, options, values); status != CUDA_SUCCESS)
      return status;
    const std::string known =
        name == nullptr ? "" : std::string(name, strnlen(name, kMaxNameBytes));
    return add(driver, state, type, known, {static_cast<const std::byte*>(data), bytes});
  });
}

CUresult add_file(CUlinkState handle, CUjitInputType type, const char* path, unsigned int count,
                  const CUjit_option* options, void** values) {
  return with_link(handle, [&](Driver& driver, LinkState& state) -> CUresult {
    if (path == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_options(count, options, values); status != CUDA_SUCCESS)
      return status;
    std::string bytes;
    if (CUresult status = read_file(path, bytes); status != CUDA_SUCCESS) return status;
    if (bytes.empty()) return CUDA_ERROR_INVALID_IMAGE;
    return add(driver, state, type, std::string(path, strnlen(path, kMaxNameBytes)),
               std::as_bytes(std::span(bytes)));
  });
}

CUresult complete(LinkState& state) {
  if (!state.image.empty()) return CUDA_SUCCESS;
  std::shared_ptr<const ir::Module> program;
  CUresult status = link_sources(state.sources, now_ns(), state.jit, program);
  if (status != CUDA_SUCCESS) return status;
  std::vector<fatbin::Input> inputs;
  for (const auto& source : state.sources)
    inputs.push_back({source->text(), source->target, true});
  auto image = fatbin::write(inputs, fatbin::Compression::kNone);
  if (!image.ok()) return CUDA_ERROR_OUT_OF_MEMORY;
  state.image = std::move(image).value();
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

CUresult cuLinkCreate(unsigned int count, CUjit_option* options, void** values,
                      CUlinkState* state) {
  return create(count, options, values, state);
}
CUresult cuLinkCreate_v2(unsigned int count, CUjit_option* options, void** values,
                         CUlinkState* state) {
  return create(count, options, values, state);
}

CUresult cuLinkAddData(CUlinkState state, CUjitInputType type, void* data, size_t bytes,
                       const char* name, unsigned int count, CUjit_option* options, void** values) {
  return add_data(state, type, data, bytes, name, count, options, values);
}
CUresult cuLinkAddData_v2(CUlinkState state, CUjitInputType type, void* data, size_t bytes,
                          const char* name, unsigned int count, CUjit_option* options,
                          void** values) {
  return add_data(state, type, data, bytes, name, count, options, values);
}

CUresult cuLinkAddFile(CUlinkState state, CUjitInputType type, const char* path, unsigned int count,
                       CUjit_option* options, void** values) {
  return add_file(state, type, path, count, options, values);
}
CUresult cuLinkAddFile_v2(CUlinkState state, CUjitInputType type, const char* path,
                          unsigned int count, CUjit_option* options, void** values) {
  return add_file(state, type, path, count, options, values);
}

CUresult cuLinkComplete(CUlinkState handle, void** image, size_t* bytes) {
  return with_link(handle, [&](Driver&, LinkState& state) -> CUresult {
    if (image == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (state.sources.empty()) {
      state.jit.report_error("there is nothing to link");
      return CUDA_ERROR_INVALID_IMAGE;
    }
    if (CUresult status = complete(state); status != CUDA_SUCCESS) return status;
    *image = state.image.data();
    if (bytes != nullptr) *bytes = state.image.size();
    return CUDA_SUCCESS;
  });
}

CUresult cuLinkDestroy(CUlinkState state) {
  return guarded([&](Driver& driver) {
    return driver.links.remove(state) == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
  });
}

}  // extern "C"
