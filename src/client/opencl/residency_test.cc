// Memory of a context over two nodes, both in this process (client_test.h).
#include "client/opencl/residency.h"

#include "client/opencl/client_test.h"
#include "client/opencl/device.h"
#include "client/opencl/platform.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl {
namespace {

namespace msg = testing::msg;

class ResidencyTest : public testing::ClientTest {
 protected:
  ResidencyTest() : ClientTest(2) {}
  void SetUp() override {
    for (std::size_t i = 0; i < 2; ++i) {
      node(i).on<msg::EnqueueReadBuffer>([this, i](const msg::EnqueueReadBuffer& m) {
        const std::vector<std::byte> data(m.download.bytes, std::byte{42});
        if (m.event != 0) node(i).event_done(m.event, CL_COMPLETE);
        node(i).reply(m.token, CL_SUCCESS, msg::EnqueueReadBuffer::Reply{data});
      });
    }
    const auto& devices = runtime().platform().devices();
    ASSERT_EQ(devices.size(), 2u);
    const cl_device_id ids[] = {to_cl<cl_device_id>(devices[0]), to_cl<cl_device_id>(devices[1])};
    context_ = api::CreateContext(nullptr, 2, ids, nullptr, nullptr, nullptr);
    ASSERT_NE(context_, nullptr);
    for (int i = 0; i < 2; ++i) {
      queues_[i] = api::CreateCommandQueueWithProperties(context_, ids[i], nullptr, nullptr);
      ASSERT_NE(queues_[i], nullptr);
    }
    memory_ = api::CreateBuffer(context_, 0, 64, nullptr, nullptr);
    other_ = api::CreateBuffer(context_, 0, 64, nullptr, nullptr);
  }
  void TearDown() override {
    api::ReleaseMemObject(memory_);
    api::ReleaseMemObject(other_);
    for (const cl_command_queue queue : queues_)
      api::ReleaseCommandQueue(queue);
    api::ReleaseContext(context_);
    ClientTest::TearDown();
  }
  cl_int fill(int queue, cl_mem memory) {
    const std::uint32_t pattern = 1;
    return api::EnqueueFillBuffer(queues_[queue], memory, &pattern, 4, 0, 64, 0, nullptr, nullptr);
  }
  cl_int copy(int queue) {
    return api::EnqueueCopyBuffer(queues_[queue], memory_, other_, 0, 0, 64, 0, nullptr, nullptr);
  }
  void finish() {
    for (const cl_command_queue queue : queues_)
      EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
  }
  cl_context context_ = nullptr;
  cl_command_queue queues_[2] = {};
  cl_mem memory_ = nullptr;
  cl_mem other_ = nullptr;
};

TEST_F(ResidencyTest, ObjectsAreMadeOnBothNodes) {
  finish();
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(node(i).count(msg::CreateBuffer::kOpcode), 2u);
}

TEST_F(ResidencyTest, ImageRequirementsHoldOnBothNodes) {
  for (std::size_t i = 0; i < 2; ++i) {
    node(i).on<msg::GetImageRequirements>([this, i](const msg::GetImageRequirements& m) {
      node(i).reply(m.token, CL_SUCCESS, msg::GetImageRequirements::Reply{i == 0 ? 64u : 256u});
    });
  }
  std::size_t alignment = 0;
  EXPECT_EQ(api::GetImageRequirementsInfoEXT(context_, nullptr, 0, nullptr, nullptr,
                                             CL_IMAGE_REQUIREMENTS_ROW_PITCH_ALIGNMENT_EXT,
                                             sizeof alignment, &alignment, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(alignment, 256u);
  cl_uint width = 0;
  EXPECT_EQ(api::GetImageRequirementsInfoEXT(context_, nullptr, 0, nullptr, nullptr,
                                             CL_IMAGE_REQUIREMENTS_MAX_WIDTH_EXT, sizeof width,
                                             &width, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(width, 64u);
}

TEST_F(ResidencyTest, NothingMovesWhileOneNodeWorks) {
  EXPECT_EQ(fill(0, memory_), CL_SUCCESS);
  EXPECT_EQ(copy(0), CL_SUCCESS);
  finish();
  EXPECT_EQ(node(0).count(msg::EnqueueReadBuffer::kOpcode), 0u);
  EXPECT_EQ(node(1).count(msg::EnqueueWriteBuffer::kOpcode), 0u);
}

TEST_F(ResidencyTest, LatestBytesGoWhereTheyAreNeededOnce) {
  EXPECT_EQ(fill(0, memory_), CL_SUCCESS);
  EXPECT_EQ(copy(1), CL_SUCCESS);
  EXPECT_EQ(copy(1), CL_SUCCESS);
  finish();
  EXPECT_EQ(node(0).count(msg::EnqueueReadBuffer::kOpcode), 1u);
  EXPECT_EQ(node(1).count(msg::EnqueueWriteBuffer::kOpcode), 1u);
  EXPECT_EQ(fill(1, memory_), CL_SUCCESS);
  EXPECT_EQ(copy(0), CL_SUCCESS) << "reads memory_, and writes other_ that the second node wrote";
  finish();
  EXPECT_EQ(node(1).count(msg::EnqueueReadBuffer::kOpcode), 2u);
  EXPECT_EQ(node(0).count(msg::EnqueueWriteBuffer::kOpcode), 2u);
}

// The bytes may come much later: the commands are in their queues all the same.
TEST_F(ResidencyTest, NobodyWaitsForTheBytes) {
  std::vector<std::function<void()>> held;
  std::mutex mutex;
  node(0).on<msg::EnqueueReadBuffer>([&](const msg::EnqueueReadBuffer& m) {
    const std::lock_guard lock(mutex);
    held.push_back([this, token = m.token, event = m.event] {
      const std::vector<std::byte> data(64, std::byte{42});
      node(0).event_done(event, CL_COMPLETE);
      node(0).reply(token, CL_SUCCESS, msg::EnqueueReadBuffer::Reply{data});
    });
  });
  EXPECT_EQ(fill(0, memory_), CL_SUCCESS);
  EXPECT_EQ(copy(1), CL_SUCCESS);
  node(0).await(msg::EnqueueReadBuffer::kOpcode);
  EXPECT_EQ(api::Finish(queues_[1]), CL_SUCCESS);
  EXPECT_EQ(node(1).count(msg::EnqueueCopyBuffer::kOpcode), 1u);
  EXPECT_EQ(node(1).count(wire::kOpBulkData), 0u);
  {
    const std::lock_guard lock(mutex);
    held.at(0)();
  }
  node(1).await(wire::kOpBulkData);
}

}  // namespace
}  // namespace longwire::client::opencl
