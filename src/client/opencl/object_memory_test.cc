// The memory of objects, and what becomes of handles that are none.
#include "client/opencl/object_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <vector>

#include "client/opencl/client_test.h"
#include "client/opencl/event.h"
#include "opencl/client_api.h"
#include "opencl/entry.h"

namespace longwire::client::opencl::testing {
namespace {

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

class ObjectMemoryTest : public ::testing::Test {
 protected:
  void* live(std::size_t size) {
    void* const slot = memory_->allocate(size);
    EXPECT_NE(slot, nullptr);
    memory_->set_live(slot, true);
    return slot;
  }
  const std::unique_ptr<ObjectMemory> memory_ = std::make_unique<ObjectMemory>();
};

TEST_F(ObjectMemoryTest, OnlyTheBeginningOfALiveSlotIsLive) {
  const void* const slot = live(200);
  EXPECT_TRUE(memory_->is_live(address(slot)));
  for (const std::uintptr_t off : {1, 8, 63, 64, 128, 256})
    EXPECT_FALSE(memory_->is_live(address(slot) + off)) << off;
  EXPECT_FALSE(memory_->is_live(address(slot) - 64));
}

TEST_F(ObjectMemoryTest, AnyWordMayBeAskedAbout) {
  live(64);
  const int on_the_stack = 0;
  for (const std::uintptr_t word :
       {std::uintptr_t{0}, std::uintptr_t{1}, std::uintptr_t{64}, std::uintptr_t{0xdeadbeef},
        ~std::uintptr_t{0}, ~std::uintptr_t{63}, address(&on_the_stack), address(this)})
    EXPECT_FALSE(memory_->is_live(word)) << word;
}

TEST_F(ObjectMemoryTest, AFreedSlotRestsAndKeepsItsDispatchPointer) {
  void* const slot = live(200);
  const std::uint64_t dispatch = 0x1122334455667788;
  std::memcpy(static_cast<std::byte*>(slot) + 8, &dispatch, sizeof dispatch);
  memory_->free(slot, 200);
  EXPECT_FALSE(memory_->is_live(address(slot)));
  for (std::size_t i = 0; i < ObjectMemory::kQuarantine; ++i) {
    void* const other = live(200);
    EXPECT_NE(other, slot) << i;
    memory_->free(other, 200);
  }
  std::uint64_t kept = 0;
  std::memcpy(&kept, static_cast<std::byte*>(slot) + 8, sizeof kept);
  EXPECT_EQ(kept, dispatch);
  EXPECT_EQ(live(200), slot);  // the oldest comes back
}

TEST_F(ObjectMemoryTest, GrowsBeyondTheFirstRegion) {
  constexpr std::size_t kSize = ObjectMemory::kLargestSlot;
  constexpr std::size_t kCount = 3 * ObjectMemory::kFirstRegion / kSize + 1;
  std::set<void*> slots;
  for (std::size_t i = 0; i < kCount; ++i)
    slots.insert(live(kSize));
  EXPECT_EQ(slots.size(), kCount);
  EXPECT_TRUE(std::all_of(slots.begin(), slots.end(),
                          [&](void* slot) { return memory_->is_live(address(slot)); }));
}

TEST_F(ObjectMemoryTest, SlotsOfOneSizeGoRound) {
  std::set<void*> slots;
  for (std::size_t i = 0; i < 100 * ObjectMemory::kQuarantine; ++i) {
    void* const slot = live(100);
    slots.insert(slot);
    memory_->free(slot, 100);
  }
  EXPECT_LE(slots.size(), ObjectMemory::kQuarantine + 1);
}

// --- through the API ---

class HandleTest : public ClientTest {
 protected:
  void SetUp() override {
    runtime();
    ASSERT_EQ(api::IcdGetPlatformIDsKHR(1, &platform_, nullptr), CL_SUCCESS);
    ASSERT_EQ(api::GetDeviceIDs(platform_, CL_DEVICE_TYPE_ALL, 1, &device_, nullptr), CL_SUCCESS);
    context_ = api::CreateContext(nullptr, 1, &device_, nullptr, nullptr, nullptr);
    ASSERT_NE(context_, nullptr);
  }
  void TearDown() override {
    if (context_ != nullptr) api::ReleaseContext(context_);
    ClientTest::TearDown();
  }
  cl_platform_id platform_ = nullptr;
  cl_device_id device_ = nullptr;
  cl_context context_ = nullptr;
};

TEST_F(HandleTest, AReleasedObjectIsNoObject) {
  cl_int status = 1;
  const cl_event event = api::CreateUserEvent(context_, &status);
  ASSERT_EQ(status, CL_SUCCESS);
  EXPECT_EQ(api::ReleaseEvent(event), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseEvent(event), CL_INVALID_EVENT);
  EXPECT_EQ(api::RetainEvent(event), CL_INVALID_EVENT);
  EXPECT_EQ(api::SetUserEventStatus(event, CL_COMPLETE), CL_INVALID_EVENT);
  // What the ICD loader reads before it calls us.
  const cl_icd_dispatch* dispatch = nullptr;
  std::memcpy(&dispatch, event, sizeof dispatch);
  EXPECT_EQ(dispatch, &kDispatch);
}

// A context lives as long as its queues do, but its last reference can be released only once.
TEST_F(HandleTest, DoubleReleaseOfWhatOthersHold) {
  const cl_command_queue queue = api::CreateCommandQueue(context_, device_, 0, nullptr);
  ASSERT_NE(queue, nullptr);
  EXPECT_EQ(api::ReleaseContext(context_), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseContext(context_), CL_INVALID_CONTEXT);
  EXPECT_EQ(api::ReleaseContext(context_), CL_INVALID_CONTEXT);
  EXPECT_EQ(api::RetainContext(context_), CL_SUCCESS);  // as a query of the queue gives it
  EXPECT_EQ(api::ReleaseCommandQueue(queue), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseCommandQueue(queue), CL_INVALID_COMMAND_QUEUE);
}

TEST_F(HandleTest, WhatIsNoObjectIsNotTouched) {
  const auto wild = reinterpret_cast<cl_context>(std::uintptr_t{0x10});
  std::vector<std::uint64_t> memory(64, 3);  // also where a kind would stand
  EXPECT_EQ(api::RetainContext(wild), CL_INVALID_CONTEXT);
  EXPECT_EQ(api::RetainContext(reinterpret_cast<cl_context>(memory.data())), CL_INVALID_CONTEXT);
  EXPECT_EQ(api::RetainContext(reinterpret_cast<cl_context>(device_)), CL_INVALID_CONTEXT);
  EXPECT_EQ(api::RetainDevice(reinterpret_cast<cl_device_id>(context_)), CL_INVALID_DEVICE);
}

}  // namespace
}  // namespace longwire::client::opencl::testing
