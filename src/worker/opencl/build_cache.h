// BuildCache: what builds have given, kept between the sessions of one tenant, so that the same
// source is compiled once per node. Drivers' own caches keep compiled kernels, but still run the
// front-end over every source: with PoCL 20 to 50 ms, where a binary loads in 1 to 5.
//
// One file per entry, in a folder that only the tenant's workers can enter (worker_main/places.h);
// what lies there is as trustworthy as the tenant. An entry names its whole key (source, options,
// device, versions), which is compared, and ends with a checksum; a file that is not what it should
// be is removed. Files appear whole (renamed into place) and the least recently used ones go first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "opencl/native_api.h"
#include "worker/opencl/objects.h"

namespace longwire::worker::opencl {

inline constexpr std::uint64_t kMostCachedBytes = std::uint64_t{256} << 20;  // of one tenant
inline constexpr std::uint64_t kMostEntryBytes = std::uint64_t{32} << 20;

struct CachedBuild {
  std::vector<std::byte> binary;
  std::vector<std::byte> reply;  // an encoded msg::BuildProgram::Reply; its handles mean nothing
};

// What decides over the result of a build. Empty: this build is not for the cache.
std::string build_key(const NativeApi& api, const Device& device, std::string_view source,
                      std::string_view options);

class BuildCache {
 public:
  explicit BuildCache(std::filesystem::path folder, std::uint64_t most_bytes = kMostCachedBytes);

  // Any thread.
  std::optional<CachedBuild> find(const std::string& key) const;
  void store(const std::string& key, const CachedBuild& build) const;

 private:
  std::filesystem::path place_of(const std::string& key) const;
  void make_room() const;

  const std::filesystem::path folder_;
  const std::uint64_t most_bytes_;
};

}  // namespace longwire::worker::opencl
