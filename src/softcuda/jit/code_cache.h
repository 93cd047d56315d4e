// CodeCache: machine code on disk, from process to process. What lies there is executed: whoever
// can write to the folder can run code as the user, so a folder or file that is another's, or that
// others can write to, is not used.
//
// One file for each entry, with its whole key, which is compared, and a checksum against damage; a
// file that is not what it should be is as good as none, and is replaced. Files appear whole
// (renamed into place). Where they take more than is allowed, those that were not used for longest
// go. Several processes may use a folder at once. Whatever fails (a full disk, one that cannot be
// written) is as if there were no cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace longwire::softcuda::jit {

inline constexpr std::uint64_t kMaxEntryBytes = std::uint64_t{128} << 20;

// The value in an entry's file; nullopt: it is damaged, or another key's.
std::optional<std::span<const std::byte>> entry_value(std::span<const std::byte> file,
                                                      std::span<const std::byte> key);
std::vector<std::byte> entry_file(std::span<const std::byte> key, std::span<const std::byte> value);

// Threads: one at a time.
class CodeCache {
 public:
  // Makes the folder, with those that it is in. kPermissionDenied: it is another's, or others can
  // write to it. kNotFound: there is none, and none can be made.
  static base::Result<std::unique_ptr<CodeCache>> open(const std::string& folder,
                                                       std::uint64_t most_bytes);

  std::optional<std::vector<std::byte>> find(std::span<const std::byte> key) const;
  void keep(std::span<const std::byte> key, std::span<const std::byte> value);

 private:
  CodeCache(base::UniqueFd folder, std::uint64_t most_bytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}
  bool write(const std::string& name, std::span<const std::byte> file) const;
  std::uint64_t make_room() const;  // how many bytes there are after it

  const base::UniqueFd folder_;
  const std::uint64_t most_bytes_;
  std::optional<std::uint64_t> bytes_;  // in the folder, as far as is known
};

}  // namespace longwire::softcuda::jit
