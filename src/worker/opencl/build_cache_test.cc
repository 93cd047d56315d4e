#include "worker/opencl/build_cache.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <string_view>

#include "worker/fake/fake_driver.h"
#include "worker/opencl/raw_client_test.h"

namespace longwire::worker::opencl {
namespace {

namespace fs = std::filesystem;
namespace msg = longwire::opencl::msg;
using testing::RawClient;
using testing::WorkerThread;

class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "longwire-builds-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::vector<fs::path> files() const {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(path))
      all.push_back(entry.path());
    return all;
  }
  fs::path path;
};

CachedBuild build_of(std::size_t bytes) {
  return {std::vector<std::byte>(bytes, std::byte{1}), std::vector<std::byte>(16, std::byte{2})};
}

TEST(BuildCacheTest, GivesBackWhatWasStored) {
  const Folder folder;
  const BuildCache cache(folder.path / "builds");
  EXPECT_FALSE(cache.find("key"));
  cache.store("key", build_of(100));
  const auto found = cache.find("key");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->binary, build_of(100).binary);
  EXPECT_EQ(found->reply, build_of(100).reply);
  EXPECT_FALSE(cache.find("another key"));
  cache.store("", build_of(100));
  EXPECT_FALSE(cache.find("")) << "no key: not for the cache";
}

TEST(BuildCacheTest, ADamagedFileIsRemoved) {
  const Folder folder;
  const BuildCache cache(folder.path);
  for (const std::size_t at : {0, 40, 120}) {
    cache.store("key", build_of(100));
    ASSERT_EQ(folder.files().size(), 1u);
    const fs::path file = folder.files().front();
    {
      std::fstream damage(file, std::ios::binary | std::ios::in | std::ios::out);
      damage.seekp(static_cast<std::streamoff>(at));
      damage.put('\x5a');
    }
    EXPECT_FALSE(cache.find("key"));
    EXPECT_TRUE(folder.files().empty());
  }
  cache.store("key", build_of(100));
  fs::resize_file(folder.files().front(), 50);
  EXPECT_FALSE(cache.find("key"));
}

// Opening a pipe to read waits for somebody to write: a session of the same tenant could hold up
// all others.
TEST(BuildCacheTest, WhatIsNoFileIsNotWaitedFor) {
  const Folder folder;
  const BuildCache cache(folder.path);
  cache.store("key", build_of(100));
  const fs::path place = folder.files().front();
  fs::remove(place);
  ASSERT_EQ(::mkfifo(place.c_str(), 0600), 0);
  EXPECT_FALSE(cache.find("key"));
  cache.store("key", build_of(100));
  EXPECT_TRUE(cache.find("key"));
  fs::remove(place);
  fs::create_symlink("/dev/zero", place);
  EXPECT_FALSE(cache.find("key"));
}

TEST(BuildCacheTest, TheLeastRecentlyUsedGoFirst) {
  const Folder folder;
  const BuildCache cache(folder.path, 3500);
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const char* key : {"a", "b", "c"})
    cache.store(key, build_of(1000));
  for (const fs::path& file : folder.files())
    fs::last_write_time(file, long_ago);
  EXPECT_TRUE(cache.find("a"));
  cache.store("d", build_of(1000));
  EXPECT_TRUE(cache.find("a"));
  EXPECT_TRUE(cache.find("d"));
  EXPECT_EQ(folder.files().size(), 3u);
}

// --- in a session --------------------------------------------------------------------------------

std::atomic<int> from_source{0};
std::atomic<int> from_binary{0};
decltype(NativeApi::clCreateProgramWithBinary) real_with_binary;
decltype(NativeApi::clBuildProgram) real_build;
std::atomic<cl_program> last_binary{nullptr};

struct Answer {
  cl_int status = 1;
  std::vector<std::string> names;
  std::vector<std::size_t> arguments;
  std::vector<std::byte> binary;
};

// One session that builds `source`, asks for its binary and goes.
Answer session(const NativeApi& api, const fs::path& cache, std::string_view source,
               std::string_view options = "") {
  auto [ours, theirs] = link::make_inproc_pair();
  WorkerThread worker(api, std::move(theirs), nullptr, {}, cache);
  RawClient client(std::move(ours));
  msg::DescribePlatforms::Reply platforms;
  EXPECT_EQ(client.call(msg::DescribePlatforms{}, &platforms), CL_SUCCESS);
  const std::uint64_t device = platforms.platforms.front().devices.front().handle;
  msg::CreateContext context;
  context.context = client.handle(Kind::kContext);
  context.devices = wire::U64View(&device, 1);
  client.send(context);
  msg::CreateProgramWithSource program;
  program.program = client.handle(Kind::kProgram);
  program.context = context.context;
  program.source = wire::Blob::inlined(std::as_bytes(std::span(source)));
  client.send(program);
  msg::BuildProgram build;
  build.program = program.program;
  build.options = options;
  Answer answer;
  msg::BuildProgram::Reply built;
  answer.status = client.call(build, &built);
  for (const auto& kernel : built.program.kernels) {
    answer.names.emplace_back(kernel.name);
    answer.arguments.push_back(kernel.args.size());
    for (const auto& its : kernel.devices)
      EXPECT_EQ(its.device, device);
  }
  msg::GetProgramBinaries sizes;
  sizes.program = program.program;
  msg::GetProgramBinaries::Reply its_sizes;
  EXPECT_EQ(client.call(sizes, &its_sizes), CL_SUCCESS);
  msg::FetchProgramBinaries fetch;
  fetch.program = program.program;
  fetch.download.bytes = its_sizes.sizes.empty() ? 0 : its_sizes.sizes[0];
  msg::FetchProgramBinaries::Reply fetched;
  EXPECT_EQ(client.call(fetch, &fetched), CL_SUCCESS);
  answer.binary.assign(fetched.data.begin(), fetched.data.end());
  client.goodbye();
  worker.join();
  return answer;
}

class CachedSessions : public ::testing::Test {
 protected:
  CachedSessions() : api(driver.api()) {
    from_source = from_binary = 0;
    real_with_binary = api.clCreateProgramWithBinary;
    real_build = api.clBuildProgram;
    api.clCreateProgramWithBinary = [](cl_context context, cl_uint count,
                                       const cl_device_id* devices, const std::size_t* lengths,
                                       const unsigned char** binaries, cl_int* each,
                                       cl_int* status) -> cl_program {
      last_binary = real_with_binary(context, count, devices, lengths, binaries, each, status);
      ++from_binary;
      return last_binary;
    };
    api.clBuildProgram = [](cl_program program, cl_uint count, const cl_device_id* devices,
                            const char* options, void(CL_CALLBACK * notify)(cl_program, void*),
                            void* user) -> cl_int {
      if (program != last_binary) ++from_source;
      return real_build(program, count, devices, options, notify, user);
    };
  }
  ~CachedSessions() override { EXPECT_EQ(driver.live_objects(), 0u); }
  Answer run(std::string_view source, std::string_view options = "") {
    last_binary = nullptr;
    return session(api, folder.path, source, options);
  }

  Folder folder;
  fake::FakeDriver driver;
  NativeApi api;
};

constexpr std::string_view kSource = "kernel void fill(global uint* to, uint value) {}";

TEST_F(CachedSessions, TheSecondBuildsFromTheBinaryAndAnswersAlike) {
  const Answer first = run(kSource);
  EXPECT_EQ(first.status, CL_SUCCESS);
  EXPECT_EQ(from_source, 1);
  EXPECT_EQ(from_binary, 1) << "the trial load at the end of the session";
  const Answer second = run(kSource);
  EXPECT_EQ(second.status, CL_SUCCESS);
  EXPECT_EQ(from_source, 1);
  EXPECT_EQ(from_binary, 2);
  EXPECT_EQ(second.names, first.names);
  EXPECT_EQ(second.arguments, first.arguments);
  EXPECT_EQ(second.binary, first.binary);
}

TEST_F(CachedSessions, AnotherSourceOrOtherOptionsAreAnotherBuild) {
  run(kSource);
  run("kernel void add(global uint* a) {}");
  run(kSource, "-DX=1");
  EXPECT_EQ(from_source, 3);
  EXPECT_EQ(folder.files().size(), 3u);
}

TEST_F(CachedSessions, FailuresAndIncludesAreNotCached) {
  EXPECT_NE(run("#error no").status, CL_SUCCESS);
  run("#include <x.h>\nkernel void fill(global uint* to) {}");
  run(kSource, "-I /usr/include");
  EXPECT_TRUE(folder.files().empty());
}

TEST_F(CachedSessions, ABinaryThatDoesNotLoadIsBuiltFromSource) {
  run(kSource);
  api.clCreateProgramWithBinary = [](cl_context, cl_uint, const cl_device_id*, const std::size_t*,
                                     const unsigned char**, cl_int*, cl_int* status) -> cl_program {
    *status = CL_INVALID_BINARY;
    return nullptr;
  };
  EXPECT_EQ(run(kSource).status, CL_SUCCESS);
  EXPECT_EQ(from_source, 2);
}

}  // namespace
}  // namespace longwire::worker::opencl
