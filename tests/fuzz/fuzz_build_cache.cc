// Fuzzes the files of the build cache: every process of a tenant can write there.
//
// Input: whether the checksum is to be made right, then a file as BuildCache::store() writes it.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/target.h"
#include "worker/opencl/build_cache.h"

namespace fuzz = longwire::fuzz;
namespace fs = std::filesystem;
using longwire::worker::opencl::BuildCache;
using longwire::worker::opencl::CachedBuild;

namespace {

constexpr const char* kKey = "4:pocl3:cpu";
constexpr std::size_t kChecksumBytes = 8;

// A folder of this process, gone with it.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("lw-fuzz-cache-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const Folder& folder() {
  static const Folder one;
  return one;
}

fs::path only_file() {
  for (const auto& entry : fs::directory_iterator(folder().path()))
    return entry.path();
  std::abort();
}

fuzz::Bytes read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return fuzz::bytes_of(text);
}

const CachedBuild& a_build() {
  static const CachedBuild one{fuzz::Bytes(100, std::byte{7}), fuzz::Bytes(64, std::byte{9})};
  return one;
}

// Where the cache keeps that key; it alone knows.
const fs::path& place() {
  static const auto* const one = [] {
    BuildCache(folder().path()).store(kKey, a_build());
    return new fs::path(only_file());
  }();
  return *one;
}

std::uint64_t checksum(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : bytes)
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
  return hash;
}

void put_checksum(fuzz::Bytes& file) {
  if (file.size() < kChecksumBytes) return;
  const std::span<std::byte> end = std::span(file).last(kChecksumBytes);
  longwire::wire::Writer out(end);
  out.u64(checksum(std::span(file).first(file.size() - kChecksumBytes)));
}

}  // namespace

std::vector<fuzz::Seed> fuzz::seeds() {
  BuildCache(folder().path()).store(kKey, a_build());
  const Bytes file = read(place());
  return {{"whole", selected(1, file)},
          {"cut", selected(1, std::span(file).first(file.size() / 2))},
          {"damaged", selected(0, Bytes(file.size()))}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto rest = std::as_bytes(std::span(data + 1, size - 1));
  fuzz::Bytes bytes(rest.begin(), rest.end());
  if (data[0] % 4 != 0) put_checksum(bytes);
  {
    std::ofstream out(place(), std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }
  const BuildCache cache(folder().path());
  const auto found = cache.find(kKey);
  if (found && found->binary.size() + found->reply.size() > bytes.size()) std::abort();
  if (!found && !bytes.empty() && fs::exists(place())) std::abort();  // a damaged file goes
  return 0;
}
