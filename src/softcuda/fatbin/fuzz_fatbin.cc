// What a program hands to the driver as a fat binary: every entry is read and uncompressed.
#include "fuzz/target.h"
#include "softcuda/fatbin/fatbin.h"

namespace longwire::fuzz {
namespace {

namespace fatbin = softcuda::fatbin;

constexpr std::uint32_t kCapability = 90;

Seed seed(const char* name, fatbin::Compression compression) {
  const std::string text =
      ".version 8.5\n.target sm_80\n.address_size 64\n.visible .entry k() {}\n";
  const fatbin::Input inputs[] = {{text, 80}, {text, 90}};
  return {name, fatbin::write(inputs, compression).value()};
}

}  // namespace

std::vector<Seed> seeds() {
  return {seed("plain", fatbin::Compression::kNone), seed("lz4", fatbin::Compression::kLz4),
          seed("zstd", fatbin::Compression::kZstd)};
}

}  // namespace longwire::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace longwire::softcuda;
  const auto bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(fatbin::best_ptx(bytes, longwire::fuzz::kCapability).ok());
  const auto entries = fatbin::read(bytes);
  if (!entries) return 0;
  for (const auto& entry : *entries)
    static_cast<void>(fatbin::text_of(entry).ok());
  return 0;
}
