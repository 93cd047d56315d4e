#include "worker/opencl/build_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/unique_fd.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::worker::opencl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "longwire build 1";
constexpr std::string_view kSuffix = ".build";
constexpr std::size_t kChecksumBytes = 8;

// FNV-1a: against damage, not against people.
std::uint64_t checksum(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : bytes)
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
  return hash;
}

// Through a descriptor: a worker's cage lets nobody change a file by its path.
void mark_used(const fs::path& place) {
  const base::UniqueFd file(::open(place.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.valid()) ::futimens(file.get(), nullptr);
}

template <class Out>
void put(Out& out, const std::string& key, const CachedBuild& build) {
  out.string(kMagic);
  out.string(key);
  out.bytes(build.binary);
  out.bytes(build.reply);
}

std::vector<std::byte> bytes_of(std::span<const std::byte> view) {
  return {view.begin(), view.end()};
}

std::optional<CachedBuild> parse(std::span<const std::byte> file, const std::string& key) {
  if (file.size() < kChecksumBytes) return std::nullopt;
  const auto body = file.first(file.size() - kChecksumBytes);
  wire::Reader end(file.subspan(body.size()));
  if (end.u64() != checksum(body)) return std::nullopt;
  wire::Reader in(body);
  if (in.string() != kMagic || in.string() != key) return std::nullopt;
  CachedBuild build;
  build.binary = bytes_of(in.bytes());
  build.reply = bytes_of(in.bytes());
  if (!in.ok() || in.remaining() != 0) return std::nullopt;
  return build;
}

// Another worker of the tenant may have put anything there: a pipe would be waited for.
std::vector<std::byte> read_file(const fs::path& path) {
  const base::UniqueFd file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      info.st_size <= 0 || static_cast<std::uint64_t>(info.st_size) > kMostEntryBytes) {
    return {};
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(info.st_size));
  for (std::size_t there = 0; there < bytes.size();) {
    const ssize_t got = ::read(file.get(), bytes.data() + there, bytes.size() - there);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};
    there += static_cast<std::size_t>(got);
  }
  return bytes;
}

// `query(size, value, size_out)` is a clGet*Info; empty where it fails.
template <class Query>
std::string text_of(Query&& query) {
  std::size_t size = 0;
  if (query(0, nullptr, &size) != CL_SUCCESS) return {};
  std::string text(size, '\0');
  if (query(size, text.data(), nullptr) != CL_SUCCESS) return {};
  return text;
}

}  // namespace

std::string build_key(const NativeApi& api, const Device& device, std::string_view source,
                      std::string_view options) {
  // What the node's own files add to a source is not seen here.
  const bool includes = source.find("include") != std::string_view::npos &&
                        source.find('#') != std::string_view::npos;
  if (source.empty() || includes || options.find("-I") != std::string_view::npos) return {};
  std::array<std::byte, CL_UUID_SIZE_KHR> uuid{};
  api.clGetDeviceInfo(device.native, CL_DEVICE_UUID_KHR, uuid.size(), uuid.data(), nullptr);
  std::string key;
  const auto add = [&key](std::string_view part) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
  };
  for (const cl_device_info param :
       {cl_device_info{CL_DEVICE_VENDOR}, cl_device_info{CL_DEVICE_NAME},
        cl_device_info{CL_DEVICE_VERSION}, cl_device_info{CL_DRIVER_VERSION}})
    add(text_of([&](std::size_t size, void* value, std::size_t* out) {
      return api.clGetDeviceInfo(device.native, param, size, value, out);
    }));
  add(text_of([&](std::size_t size, void* value, std::size_t* out) {
    return api.clGetPlatformInfo(device.platform, CL_PLATFORM_VERSION, size, value, out);
  }));
  add({reinterpret_cast<const char*>(uuid.data()), uuid.size()});
  add(options);
  add(source);
  return key;
}

BuildCache::BuildCache(fs::path folder, std::uint64_t most_bytes)
    : folder_(std::move(folder)), most_bytes_(most_bytes) {
  std::error_code ignored;  // without the folder nothing is found, or stored
  fs::create_directories(folder_, ignored);
}

fs::path BuildCache::place_of(const std::string& key) const {
  std::array<char, 16> name{};
  const auto end =
      std::to_chars(name.begin(), name.end(), checksum(std::as_bytes(std::span(key))), 16);
  return folder_ / (std::string(name.begin(), end.ptr) + std::string(kSuffix));
}

std::optional<CachedBuild> BuildCache::find(const std::string& key) const {
  if (key.empty()) return std::nullopt;
  const fs::path place = place_of(key);
  const auto file = read_file(place);
  if (file.empty()) return std::nullopt;
  auto build = parse(file, key);
  std::error_code ignored;
  if (build)
    mark_used(place);
  else
    fs::remove(place, ignored);
  return build;
}

void BuildCache::store(const std::string& key, const CachedBuild& build) const {
  if (key.empty()) return;
  wire::Sizer sizer;
  put(sizer, key, build);
  if (sizer.size() + kChecksumBytes > kMostEntryBytes) return;
  std::vector<std::byte> file(sizer.size() + kChecksumBytes);
  wire::Writer out(file);
  put(out, key, build);
  out.u64(checksum(out.written()));
  static std::atomic<unsigned> counter{0};
  const fs::path draft = folder_ / ("draft-" + std::to_string(::getpid()) + "-" +
                                    std::to_string(counter.fetch_add(1)));
  std::error_code error;
  {
    std::ofstream stream(draft, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(file.data()),
                 static_cast<std::streamsize>(file.size()));
    stream.close();
    if (!stream) {
      fs::remove(draft, error);
      return;
    }
  }
  fs::rename(draft, place_of(key), error);
  if (error) fs::remove(draft, error);
  make_room();
}

void BuildCache::make_room() const {
  struct File {
    fs::file_time_type used;
    std::uint64_t bytes;
    fs::path path;
  };
  std::vector<File> files;
  std::uint64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator i(folder_, error), end; !error && i != end; i.increment(error)) {
    std::error_code gone;
    const auto bytes = static_cast<std::uint64_t>(i->file_size(gone));
    const auto used = i->last_write_time(gone);
    if (gone) continue;
    total += bytes;
    files.push_back({used, bytes, i->path()});
  }
  if (total <= most_bytes_) return;
  std::ranges::sort(files, {}, &File::used);
  for (const File& file : files) {
    if (total <= most_bytes_) return;
    fs::remove(file.path, error);
    total -= file.bytes;
  }
}

}  // namespace longwire::worker::opencl
