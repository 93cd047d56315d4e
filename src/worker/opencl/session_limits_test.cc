// What one session may have, and what it may not see: memory, handles, and the bytes of others.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "worker/opencl/worker_test.h"

namespace longwire::worker::opencl {
namespace {

using namespace testing;  // NOLINT: the fixture's

constexpr std::byte kCanary{0xc5};
constexpr std::size_t kCycles = 10'000;
constexpr std::size_t kImageCycles = 1'000;
constexpr std::size_t kBytes = 4096;

// A session of its own on a driver that it shares.
class Tenant {
 public:
  Tenant(const NativeApi& api, const SessionLimits& share) : api_(api) {
    auto [ours, theirs] = link::make_inproc_pair();
    worker_ = std::make_unique<WorkerThread>(api_, std::move(theirs), nullptr, core::WorkerLimits{},
                                             std::filesystem::path{}, share);
    client = std::make_unique<RawClient>(std::move(ours));
    EXPECT_EQ(client->call(msg::DescribePlatforms{}, &described), CL_SUCCESS);
    device_ = described.platforms.front().devices.front().handle;
    msg::CreateContext c;
    context = c.context = client->handle(Kind::kContext);
    c.devices = wire::U64View(&device_, 1);
    client->send(c);
    create_queue();
  }
  ~Tenant() {
    client->goodbye();
    worker_->join();
  }

  // Which is used from now on.
  void create_queue() {
    msg::CreateCommandQueue m;
    queue = m.queue = client->handle(Kind::kQueue);
    m.context = context;
    m.device = device_;
    client->send(m);
  }
  Handle buffer(std::size_t size, wire::Blob data = {}) {
    msg::CreateBuffer m;
    m.mem = client->handle(Kind::kMem);
    m.context = context;
    m.flags = CL_MEM_READ_WRITE;
    m.size = size;
    m.data = data;
    client->send(m);
    return m.mem;
  }
  Handle image(wire::Blob data = {}) {
    msg::CreateImage m;
    m.mem = client->handle(Kind::kMem);
    m.context = context;
    m.flags = CL_MEM_READ_WRITE;
    m.format.channel_order = CL_RGBA;
    m.format.channel_data_type = CL_UNORM_INT8;
    m.desc.type = CL_MEM_OBJECT_IMAGE2D;
    m.desc.width = 64;
    m.desc.height = kBytes / 64 / 4;
    m.data = data;
    client->send(m);
    return m.mem;
  }
  // Returns when the driver has destroyed it.
  void release(Handle mem) {
    msg::ReleaseObject m;
    m.object = mem;
    EXPECT_EQ(client->call(m), CL_SUCCESS);
  }
  bool finds_canary_in_buffer(Handle mem) {
    msg::EnqueueReadBuffer m;
    m.queue = queue;
    m.buffer = mem;
    m.download.bytes = kBytes;
    msg::EnqueueReadBuffer::Reply answer;
    EXPECT_EQ(client->call(m, &answer), CL_SUCCESS);
    return std::count(answer.data.begin(), answer.data.end(), kCanary) > 0;
  }
  bool finds_canary_in_image(Handle mem) {
    msg::EnqueueReadImage m;
    m.queue = queue;
    m.image = mem;
    const std::uint64_t origin[] = {0, 0, 0};
    const std::uint64_t region[] = {64, kBytes / 64 / 4, 1};
    m.origin = wire::U64View(origin, 3);
    m.region = wire::U64View(region, 3);
    m.download.bytes = kBytes;
    msg::EnqueueReadImage::Reply answer;
    EXPECT_EQ(client->call(m, &answer), CL_SUCCESS);
    return std::count(answer.data.begin(), answer.data.end(), kCanary) > 0;
  }

  std::unique_ptr<RawClient> client;
  msg::DescribePlatforms::Reply described;
  Handle context = 0;
  Handle queue = 0;

 private:
  const NativeApi api_;
  std::uint64_t device_ = 0;
  std::unique_ptr<WorkerThread> worker_;
};

// A driver that gives one tenant what another had, as it was.
struct Recycling {
  explicit Recycling(Scrub scrub, cl_device_type type = CL_DEVICE_TYPE_GPU)
      : driver(options(type)),
        before(driver.api(), share(scrub)),
        after(driver.api(), share(scrub)) {}
  static SessionLimits share(Scrub scrub) {
    SessionLimits limits;
    limits.scrub = scrub;
    return limits;
  }
  static fake::FakeOptions options(cl_device_type type) {
    fake::FakeOptions options;
    options.recycle = true;
    options.type = type;
    return options;
  }

  std::size_t canaries_in_buffers(std::size_t cycles) {
    const Bytes canary(kBytes, kCanary);
    std::size_t found = 0;
    for (std::size_t i = 0; i < cycles; ++i) {
      before.release(before.buffer(kBytes, wire::Blob::inlined(canary)));
      const Handle mem = after.buffer(kBytes);
      found += after.finds_canary_in_buffer(mem) ? 1 : 0;
      after.release(mem);
    }
    return found;
  }
  std::size_t canaries_in_images(std::size_t cycles) {
    const Bytes canary(kBytes, kCanary);
    std::size_t found = 0;
    for (std::size_t i = 0; i < cycles; ++i) {
      before.release(before.image(wire::Blob::inlined(canary)));
      const Handle mem = after.image();
      found += after.finds_canary_in_image(mem) ? 1 : 0;
      after.release(mem);
    }
    return found;
  }

  fake::FakeDriver driver;
  Tenant before;
  Tenant after;
};

TEST(Scrubbing, NoTenantSeesWhatAnotherHad) {
  Recycling node(Scrub::kAuto);
  EXPECT_EQ(node.canaries_in_buffers(kCycles), 0u);
  EXPECT_EQ(node.canaries_in_images(kImageCycles), 0u);
}

TEST(Scrubbing, WithoutItTheSameTestFindsEverything) {
  Recycling node(Scrub::kNever);
  EXPECT_EQ(node.canaries_in_buffers(kCycles), kCycles);
  EXPECT_EQ(node.canaries_in_images(kImageCycles), kImageCycles);
}

TEST(Scrubbing, ACpusMemoryIsLeftToTheKernelUnlessToldOtherwise) {
  EXPECT_EQ(Recycling(Scrub::kAuto, CL_DEVICE_TYPE_CPU).canaries_in_buffers(10), 10u);
  EXPECT_EQ(Recycling(Scrub::kAlways, CL_DEVICE_TYPE_CPU).canaries_in_buffers(10), 0u);
}

std::atomic<std::size_t> barriers{0};
cl_int (*native_barrier)(cl_command_queue, cl_uint, const cl_event*, cl_event*) = nullptr;

TEST(Scrubbing, EveryQueueWaitsAlsoALaterOne) {
  fake::FakeDriver driver(Recycling::options(CL_DEVICE_TYPE_GPU));
  NativeApi counting = driver.api();
  native_barrier = counting.clEnqueueBarrierWithWaitList;
  counting.clEnqueueBarrierWithWaitList = [](cl_command_queue queue, cl_uint count,
                                             const cl_event* wait, cl_event* event) -> cl_int {
    barriers.fetch_add(count);
    return native_barrier(queue, count, wait, event);
  };
  Tenant tenant(counting, {});
  tenant.create_queue();
  barriers = 0;
  const Handle mem = tenant.buffer(kBytes);
  EXPECT_FALSE(tenant.finds_canary_in_buffer(mem));
  EXPECT_EQ(barriers, 2u);
  tenant.create_queue();
  EXPECT_FALSE(tenant.finds_canary_in_buffer(mem));
  EXPECT_EQ(barriers, 3u);
}

TEST(Scrubbing, MemoryThatCannotBeClearedIsNotGiven) {
  fake::FakeDriver driver;
  NativeApi broken = driver.api();
  broken.clEnqueueFillBuffer = [](cl_command_queue, cl_mem, const void*, std::size_t, std::size_t,
                                  std::size_t, cl_uint, const cl_event*,
                                  cl_event*) -> cl_int { return CL_OUT_OF_RESOURCES; };
  Tenant tenant(broken, {});
  const Handle mem = tenant.buffer(kBytes);
  EXPECT_TRUE(tenant.client->await([&] { return !tenant.client->failures.empty(); }));
  EXPECT_EQ(tenant.client->failures.front(), std::pair(mem, CL_OUT_OF_RESOURCES));
}

// --- what a session may have ---

class Share : public ::testing::Test {
 protected:
  static SessionLimits share(std::uint64_t memory_bytes, std::uint64_t handles) {
    SessionLimits limits;
    limits.memory_bytes = memory_bytes;
    limits.handles = handles;
    return limits;
  }
  static cl_int failure(Tenant& tenant, Handle object) {
    msg::GetDeviceInfo m;
    m.device = tenant.described.platforms.front().devices.front().handle;
    m.param = CL_DEVICE_NAME;
    EXPECT_EQ(tenant.client->call(m), CL_SUCCESS);  // everything before it has been executed
    for (const auto& [handle, status] : tenant.client->failures) {
      if (handle == object) return status;
    }
    return CL_SUCCESS;
  }
  fake::FakeDriver driver;
};

TEST_F(Share, MemoryBeyondItIsRefusedAndComesBackWithARelease) {
  Tenant tenant(driver.api(), share(3 * kBytes, 0));
  const Handle first = tenant.buffer(2 * kBytes);
  const Handle second = tenant.image();
  const Handle third = tenant.buffer(1);
  EXPECT_EQ(failure(tenant, first), CL_SUCCESS);
  EXPECT_EQ(failure(tenant, second), CL_SUCCESS);
  EXPECT_EQ(failure(tenant, third), CL_MEM_OBJECT_ALLOCATION_FAILURE);
  tenant.release(first);
  EXPECT_EQ(failure(tenant, tenant.buffer(2 * kBytes)), CL_SUCCESS);
}

TEST_F(Share, APartOfABufferKeepsTheWhole) {
  Tenant tenant(driver.api(), share(2 * kBytes, 0));
  const Handle whole = tenant.buffer(2 * kBytes);
  msg::CreateSubBuffer m;
  m.mem = tenant.client->handle(Kind::kMem);
  m.parent = whole;
  m.size = 16;
  tenant.client->send(m);
  msg::ReleaseObject release;
  release.object = whole;
  tenant.client->send(release);
  EXPECT_EQ(failure(tenant, tenant.buffer(1)), CL_MEM_OBJECT_ALLOCATION_FAILURE);
  tenant.release(m.mem);
  EXPECT_EQ(failure(tenant, tenant.buffer(2 * kBytes)), CL_SUCCESS);
}

TEST_F(Share, DevicesShowNoMoreThanIt) {
  Tenant tenant(driver.api(), share(3 * kBytes, 0));
  std::size_t seen = 0;
  for (const auto& platform : tenant.described.platforms) {
    for (const auto& device : platform.devices) {
      for (const auto& info : device.infos) {
        const bool is_memory =
            info.param == CL_DEVICE_GLOBAL_MEM_SIZE || info.param == CL_DEVICE_MAX_MEM_ALLOC_SIZE;
        if (!is_memory) continue;
        cl_ulong shown = 0;
        ASSERT_EQ(info.value.size(), sizeof shown);
        std::memcpy(&shown, info.value.data(), sizeof shown);
        EXPECT_EQ(shown, 3 * kBytes);
        ++seen;
      }
    }
  }
  EXPECT_EQ(seen, 4u);
}

TEST_F(Share, HandlesBeyondItAreRefused) {
  // Two devices, a context and a queue are four.
  Tenant tenant(driver.api(), share(0, 6));
  EXPECT_EQ(failure(tenant, tenant.buffer(1)), CL_SUCCESS);
  const Handle last = tenant.buffer(1);
  EXPECT_EQ(failure(tenant, last), CL_SUCCESS);
  EXPECT_EQ(failure(tenant, tenant.buffer(1)), CL_OUT_OF_RESOURCES);
  tenant.release(last);
  EXPECT_EQ(failure(tenant, tenant.buffer(1)), CL_SUCCESS);
}

TEST_F(Share, ACreationWhoseDataNeverComesEndsTheSession) {
  SessionLimits impatient;
  impatient.creation_stall_ns = base::kMillisecond;
  Tenant tenant(driver.api(), impatient);
  tenant.buffer(100'000, {wire::BlobMode::kEager, 1, 100'000, {}});
  EXPECT_TRUE(tenant.client->await([&] {
    return !tenant.client->stream().pump(base::Deadline::in(base::monotonic_clock(), 0)).ok();
  }));
}

}  // namespace
}  // namespace longwire::worker::opencl
