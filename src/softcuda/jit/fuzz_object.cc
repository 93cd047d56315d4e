// Objects that lie in the code cache: whatever they are, they are loaded or refused. Nothing is
// run.
#include "fuzz/target.h"
#include "softcuda/jit/object.h"
#include "softcuda/jit/object_test.h"

namespace longwire::fuzz {

std::vector<Seed> seeds() { return {{"object", softcuda::jit::ObjectFile().bytes()}}; }

}  // namespace longwire::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace longwire::softcuda;
  constexpr std::uint64_t kWords[] = {1, 2};
  const auto named = [](std::string_view name) -> const void* {
    return name == "named" ? reinterpret_cast<const void*>(&LLVMFuzzerTestOneInput) : nullptr;
  };
  const jit::ObjectNames names{"table", kWords, named};
  static_cast<void>(jit::LoadedObject::load(std::as_bytes(std::span(data, size)), names).ok());
  return 0;
}
