// Builder: clBuildProgram on a mirror thread, through the cache of builds (build_cache.h).
//
// A build that the cache has is made from its binary; the program then stands on another native
// program than its source. To put a build into the cache its binary must be fetched, for which some
// drivers compile everything once more (PoCL: as long as the build itself, and with a lock that
// other builds need): so that is done at the end of the session, when nobody waits, and only for
// binaries that a trial load finds complete.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "worker/core/worker.h"
#include "worker/opencl/build_cache.h"
#include "worker/opencl/objects.h"

namespace longwire::worker::opencl {

inline constexpr std::size_t kMostBuildsToKeep = 64;  // of one session
inline constexpr base::Nanoseconds kMostKeepingNs = 10 * base::kSecond;

class Builder {
 public:
  // Without a folder there is no cache. `api` and `services` outlive the builder.
  Builder(const NativeApi& api, const core::Services& services,
          const std::filesystem::path& cache_folder);

  bool keeps_sources() const { return cache_.has_value(); }
  // Replies to `token`. Mirror threads; for one program one at a time.
  void build(const Ref<Program>& program, const std::vector<cl_device_id>& devices,
             const std::string& options, wire::Token token);
  // The session is over: puts what it has built into the cache, until stopped, and lets go of it.
  void keep_builds();

 private:
  struct Built {
    Ref<Program> program;
    std::string key;
    std::vector<std::byte> reply;
  };
  std::string key_of(const Program& program, const std::vector<cl_device_id>& devices,
                     const std::string& options) const;
  bool build_from(const CachedBuild& cached, Program& program, const std::string& options,
                  wire::Token token);
  cl_program load(const Program& program, const std::vector<std::byte>& binary,
                  const std::string& options) const;
  void keep(const Built& built) const;

  const NativeApi& api_;
  const core::Services& services_;
  std::optional<BuildCache> cache_;
  std::mutex mutex_;
  std::map<const Program*, Built> built_;  // the latest build of each
};

}  // namespace longwire::worker::opencl
