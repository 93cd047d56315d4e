// Of every libFuzzer program: with LONGWIRE_FUZZ_SEEDS=FOLDER it writes its seeds there and ends.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fuzz/target.h"

extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*arguments*/) {
  const char* const folder = std::getenv("LONGWIRE_FUZZ_SEEDS");
  if (folder == nullptr) return 0;
  std::filesystem::create_directories(folder);
  for (const auto& seed : longwire::fuzz::seeds()) {
    std::ofstream file(std::filesystem::path(folder) / seed.name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.bytes.data()),
               static_cast<std::streamsize>(seed.bytes.size()));
    if (!file.flush()) std::exit(1);
  }
  std::exit(0);
}
