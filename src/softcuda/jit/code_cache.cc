#include "softcuda/jit/code_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "base/file_limit.h"
#include "base/random.h"

namespace longwire::softcuda::jit {
namespace {

using base::Error;
using base::ErrorCode;
using base::UniqueFd;
using Bytes = std::span<const std::byte>;

// The file: this, then the key, then the value.
struct Header {
  char magic[8];
  std::uint64_t checksum;  // of all that follows
  std::uint64_t key_bytes;
  std::uint64_t value_bytes;
};
constexpr char kMagic[] = "LWcode01";
constexpr std::size_t kChecked = offsetof(Header, key_bytes);
constexpr std::string_view kSuffix = ".code", kDraft = ".draft-";
constexpr std::size_t kNameBytes = 16;
constexpr std::time_t kDraftSeconds = 3600;  // nobody writes for longer
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

// FNV-1a over words: against damage and for names, not against people.
std::uint64_t checksum(Bytes bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t hash = 0xcbf29ce484222325 ^ bytes.size();
  for (; bytes.size() >= sizeof hash; bytes = bytes.subspan(sizeof hash)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 32;
  }
  for (const std::byte byte : bytes)
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * kPrime;
  return hash ^ hash >> 32;
}

std::string name_of(Bytes key) {
  std::array<char, kNameBytes + 1> name{};
  std::snprintf(name.data(), name.size(), "%016llx",
                static_cast<unsigned long long>(checksum(key)));
  return std::string(name.data()) + std::string(kSuffix);
}

bool is_entry(std::string_view name) {
  return name.size() == kNameBytes + kSuffix.size() && name.ends_with(kSuffix);
}

bool is_ours(const struct stat& info) {
  return info.st_uid == ::geteuid() && (info.st_mode & kOthersWrite) == 0;
}

std::optional<std::vector<std::byte>> read_file(int folder, const std::string& name) {
  const UniqueFd file(
      ::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      !is_ours(info) || info.st_size <= 0 ||
      static_cast<std::uint64_t>(info.st_size) > kMaxEntryBytes)
    return std::nullopt;
  std::vector<std::byte> bytes(static_cast<std::size_t>(info.st_size));
  for (std::size_t there = 0; there < bytes.size();) {
    const ssize_t got = ::read(file.get(), bytes.data() + there, bytes.size() - there);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    there += static_cast<std::size_t>(got);
  }
  ::futimens(file.get(), nullptr);  // it was used
  return bytes;
}

bool write_all(int file, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(file, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  return true;
}

void make_folders(const std::string& folder) {
  for (std::size_t end = folder.find('/', 1);; end = folder.find('/', end + 1)) {
    ::mkdir(folder.substr(0, end).c_str(), S_IRWXU);
    if (end == std::string::npos) return;
  }
}

struct Found {
  std::string name;
  std::uint64_t bytes = 0;
  timespec used{};
  bool operator<(const Found& other) const {
    return std::pair(used.tv_sec, used.tv_nsec) < std::pair(other.used.tv_sec, other.used.tv_nsec);
  }
};

// All entries; drafts that their writers have left behind go.
std::vector<Found> list(int folder) {
  std::vector<Found> all;
  const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* open = copy < 0 ? nullptr : ::fdopendir(copy);
  if (open == nullptr) return all;
  const std::time_t now = ::time(nullptr);
  while (const dirent* one = ::readdir(open)) {
    const std::string_view name = one->d_name;
    struct stat info {};
    if ((!is_entry(name) && !name.starts_with(kDraft)) ||
        ::fstatat(folder, one->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (is_entry(name))
      all.push_back({std::string(name), static_cast<std::uint64_t>(info.st_size), info.st_mtim});
    else if (now - info.st_mtim.tv_sec > kDraftSeconds)
      ::unlinkat(folder, one->d_name, 0);
  }
  ::closedir(open);
  return all;
}

}  // namespace

std::vector<std::byte> entry_file(Bytes key, Bytes value) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof header.magic);
  header.key_bytes = key.size();
  header.value_bytes = value.size();
  std::vector<std::byte> file(sizeof header);
  file.insert(file.end(), key.begin(), key.end());
  file.insert(file.end(), value.begin(), value.end());
  std::memcpy(file.data(), &header, sizeof header);
  header.checksum = checksum(Bytes(file).subspan(kChecked));
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

std::optional<Bytes> entry_value(Bytes file, Bytes key) {
  Header header;
  if (file.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, file.data(), sizeof header);
  const Bytes rest = file.subspan(sizeof header);
  const bool whole = std::memcmp(header.magic, kMagic, sizeof header.magic) == 0 &&
                     header.key_bytes == key.size() && key.size() <= rest.size() &&
                     header.value_bytes == rest.size() - key.size() &&
                     std::equal(key.begin(), key.end(), rest.begin()) &&
                     header.checksum == checksum(file.subspan(kChecked));
  if (!whole) return std::nullopt;
  return rest.subspan(key.size());
}

base::Result<std::unique_ptr<CodeCache>> CodeCache::open(const std::string& folder,
                                                         std::uint64_t most_bytes) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  UniqueFd opened(::open(folder.c_str(), kFlags));
  if (!opened.valid()) {
    make_folders(folder);
    opened.reset(::open(folder.c_str(), kFlags));
  }
  struct stat info {};
  if (!opened.valid() || ::fstat(opened.get(), &info) != 0)
    return Error::from_errno(ErrorCode::kNotFound, folder, errno);
  if (!is_ours(info))
    return Error(ErrorCode::kPermissionDenied,
                 folder + " is another user's, or others can write to it: no code is kept there");
  return std::unique_ptr<CodeCache>(new CodeCache(std::move(opened), most_bytes));
}

std::optional<std::vector<std::byte>> CodeCache::find(Bytes key) const {
  const auto file = read_file(folder_.get(), name_of(key));
  if (!file) return std::nullopt;
  const auto value = entry_value(*file, key);
  if (!value) return std::nullopt;
  return std::vector<std::byte>(value->begin(), value->end());
}

bool CodeCache::write(const std::string& name, Bytes file) const {
  base::SystemRandom random;
  const std::string draft = std::string(kDraft) + std::to_string(random.u64());
  const UniqueFd to(::openat(folder_.get(), draft.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                             S_IRUSR | S_IWUSR));
  if (!to.valid()) return false;
  if (write_all(to.get(), file) &&
      ::renameat(folder_.get(), draft.c_str(), folder_.get(), name.c_str()) == 0)
    return true;
  ::unlinkat(folder_.get(), draft.c_str(), 0);
  return false;
}

void CodeCache::keep(Bytes key, Bytes value) {
  const auto file = entry_file(key, value);
  if (file.size() > std::min(most_bytes_, kMaxEntryBytes) || !base::file_may_have(file.size()))
    return;
  if (!write(name_of(key), file)) return;
  if (bytes_) *bytes_ += file.size();
  if (!bytes_ || *bytes_ > most_bytes_) bytes_ = make_room();
}

std::uint64_t CodeCache::make_room() const {
  auto all = list(folder_.get());
  std::uint64_t total = 0;
  for (const Found& one : all)
    total += one.bytes;
  if (total <= most_bytes_) return total;
  std::sort(all.begin(), all.end());
  // A little more than must be, so that this does not come with each entry.
  const std::uint64_t enough = most_bytes_ - most_bytes_ / 8;
  for (const Found& one : all) {
    if (total <= enough) break;
    ::unlinkat(folder_.get(), one.name.c_str(), 0);
    total -= one.bytes;
  }
  return total;
}

}  // namespace longwire::softcuda::jit
