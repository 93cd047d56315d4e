// Files of the code cache, and the objects in them: whatever they are, they are loaded or refused.
// Nothing is run.
#include "fuzz/target.h"
#include "softcuda/jit/code_cache.h"
#include "softcuda/jit/object.h"
#include "softcuda/jit/object_test.h"

namespace longwire::fuzz {
namespace {

namespace jit = softcuda::jit;

std::span<const std::byte> key() {
  static constexpr std::string_view kKey = "a kernel";
  return std::as_bytes(std::span(kKey));
}

const void* named(std::string_view name) {
  return name == "named" ? reinterpret_cast<const void*>(&named) : nullptr;
}

void load(std::span<const std::byte> object) {
  constexpr std::uint64_t kWords[] = {1, 2};
  const jit::ObjectNames names{"table", kWords, &named};
  static_cast<void>(jit::LoadedObject::load(object, names).ok());
}

}  // namespace

std::vector<Seed> seeds() {
  const Bytes object = jit::ObjectFile().bytes();
  return {{"object", object}, {"entry", jit::entry_file(key(), object)}};
}

}  // namespace longwire::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace longwire::fuzz;
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto value = longwire::softcuda::jit::entry_value(bytes, key())) load(*value);
  load(bytes);
  return 0;
}
