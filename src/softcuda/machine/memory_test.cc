#include "softcuda/machine/memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

namespace longwire::softcuda::machine {
namespace {

using base::ErrorCode;

constexpr std::uint64_t kMebibyte = 1 << 20;

class MemoryTest : public ::testing::Test {
 protected:
  MemoryTest() : memory_(std::move(*Memory::create(16 * kMebibyte))) {}
  std::uint64_t allocate(std::uint64_t bytes, MemoryKind kind = MemoryKind::kDevice) {
    auto address = memory_->allocate(bytes, kind);
    EXPECT_TRUE(address.ok());
    return address.ok() ? *address : 0;
  }
  std::unique_ptr<Memory> memory_;
};

TEST_F(MemoryTest, WhatIsAllocatedIsAccessibleAndZero) {
  const auto address = allocate(1000);
  EXPECT_EQ(address % kAllocationAlignment, 0U);
  EXPECT_TRUE(memory_->accessible(address, 1000));
  EXPECT_TRUE(memory_->accessible(address + 1000, 24));  // to the granularity
  EXPECT_FALSE(memory_->accessible(address + 1000, 25));
  EXPECT_FALSE(memory_->accessible(address - 1, 1));
  EXPECT_FALSE(memory_->accessible(0, 1));
  EXPECT_FALSE(memory_->accessible(~std::uint64_t{0}, 16));
  const auto* bytes = reinterpret_cast<const char*>(address);
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(bytes[i], 0);
}

TEST_F(MemoryTest, ReleasedMemoryIsNotAccessibleAndComesBackZero) {
  for (std::uint64_t bytes : {std::uint64_t{1000}, 3 * kMebibyte + 5}) {
    const auto address = allocate(bytes);
    std::memset(reinterpret_cast<void*>(address), 7, bytes);
    EXPECT_TRUE(memory_->release(address).ok());
    EXPECT_FALSE(memory_->accessible(address, 1));
    EXPECT_EQ(memory_->release(address).error().code(), ErrorCode::kNotFound);
    const auto again = allocate(bytes);
    EXPECT_EQ(again, address);
    const auto* data = reinterpret_cast<const char*>(again);
    EXPECT_TRUE(std::all_of(data, data + bytes, [](char c) { return c == 0; }));
    EXPECT_TRUE(memory_->release(again).ok());
  }
}

TEST_F(MemoryTest, RunsOutOfDeviceMemoryButHostMemoryIsApart) {
  EXPECT_EQ(memory_->free_bytes(), memory_->total_bytes());
  const auto all = allocate(memory_->total_bytes());
  EXPECT_EQ(memory_->free_bytes(), 0U);
  EXPECT_EQ(memory_->allocate(1, MemoryKind::kDevice).error().code(), ErrorCode::kLimit);
  EXPECT_EQ(memory_->allocate(1, MemoryKind::kManaged).error().code(), ErrorCode::kLimit);
  EXPECT_EQ(memory_->allocate(0, MemoryKind::kHost).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(memory_->allocate(~std::uint64_t{0}, MemoryKind::kHost).error().code(),
            ErrorCode::kLimit);
  const auto host = allocate(kMebibyte, MemoryKind::kHost);
  EXPECT_TRUE(memory_->accessible(host, kMebibyte));
  EXPECT_TRUE(memory_->release(all).ok());
}

TEST_F(MemoryTest, FindsAllocations) {
  const auto first = allocate(100), second = allocate(100);
  EXPECT_EQ(memory_->find(first + 99)->address, first);
  EXPECT_FALSE(memory_->find(first + 100).has_value());
  EXPECT_EQ(memory_->nearest(first + 100)->address, first);
  EXPECT_EQ(memory_->nearest(second - 1)->address, second);
  EXPECT_EQ(memory_->nearest(0)->address, first);
  EXPECT_LT(memory_->find(first)->number, memory_->find(second)->number);
}

TEST_F(MemoryTest, RegisteredRangesAreExact) {
  alignas(256) static char memory[4][512];
  auto address = [](int i) { return reinterpret_cast<std::uint64_t>(memory[i]); };
  for (int i : {2, 0, 3})
    EXPECT_TRUE(memory_->add_registered(address(i), 500).ok());
  EXPECT_TRUE(memory_->accessible(address(2) + 499, 1));
  EXPECT_FALSE(memory_->accessible(address(2) + 499, 2));
  EXPECT_FALSE(memory_->accessible(address(1), 1));
  EXPECT_EQ(memory_->add_registered(address(0) + 10, 4).error().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(memory_->add_registered(address(1) + 500, 600).error().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(memory_->find(address(3))->kind, MemoryKind::kRegistered);
  EXPECT_TRUE(memory_->remove_registered(address(2)).ok());
  EXPECT_FALSE(memory_->accessible(address(2), 1));
  EXPECT_TRUE(memory_->accessible(address(3), 500));
  EXPECT_EQ(memory_->remove_registered(address(2)).error().code(), ErrorCode::kNotFound);
}

TEST_F(MemoryTest, ReadersSeeRegisteredRangesWhileOthersChange) {
  static char memory[64][256];
  auto address = [](int i) { return reinterpret_cast<std::uint64_t>(memory[i]); };
  ASSERT_TRUE(memory_->add_registered(address(32), 256).ok());
  std::atomic<bool> end{false};
  std::thread reader([&] {
    while (!end)
      EXPECT_TRUE(memory_->accessible(address(32), 256));
  });
  for (int n = 0; n < 200; ++n) {
    EXPECT_TRUE(memory_->add_registered(address(n % 31), 256).ok());
    EXPECT_TRUE(memory_->remove_registered(address(n % 31)).ok());
  }
  end = true;
  reader.join();
}

TEST_F(MemoryTest, MappedMemoryIsAccessibleOnceItIsAllowed) {
  constexpr std::uint64_t kBytes = 2 * kMebibyte;
  const int fd = ::memfd_create("test", MFD_CLOEXEC);
  ASSERT_EQ(::ftruncate(fd, kBytes), 0);
  const auto first = *memory_->reserve(4 * kBytes, 0, 0);
  const auto second = first + kBytes;
  EXPECT_FALSE(memory_->accessible(first, 1));
  ASSERT_TRUE(memory_->map(first, kBytes, fd, 0).ok());
  ASSERT_TRUE(memory_->map(second, kBytes, fd, 0).ok());  // the same memory
  EXPECT_FALSE(memory_->accessible(first, 1));
  ASSERT_TRUE(memory_->allow(first, kBytes).ok());
  ASSERT_TRUE(memory_->allow(second, kBytes).ok());
  EXPECT_TRUE(memory_->accessible(first, 2 * kBytes));
  EXPECT_FALSE(memory_->accessible(first, 2 * kBytes + 1));
  EXPECT_EQ(memory_->find(second + 5)->kind, MemoryKind::kMapped);
  EXPECT_FALSE(memory_->release(second).ok());
  auto word = [](std::uint64_t address) -> int& { return *reinterpret_cast<int*>(address); };
  word(first + 8) = 7;
  EXPECT_EQ(word(second + 8), 7);
  memory_->unmap(first, kBytes);
  EXPECT_FALSE(memory_->accessible(first, 1));
  EXPECT_EQ(word(first + 8), 0);  // nothing of it, and no fault
  memory_->unmap(second, kBytes);
  memory_->release_reserved(first, 4 * kBytes);
  EXPECT_EQ(*memory_->reserve(kBytes, 0, second), second);
  EXPECT_NE(*memory_->reserve(kBytes, 0, second), second);  // it is taken
  EXPECT_EQ(*memory_->reserve(kBytes, 64 * kMebibyte, 0) % (64 * kMebibyte), 0U);
  EXPECT_FALSE(memory_->reserve(~std::uint64_t{0} / 2, 0, 0).ok());
  EXPECT_FALSE(memory_->reserve(kBytes, std::uint64_t{1} << 63, 0).ok());
  ::close(fd);
}

TEST_F(MemoryTest, SharedMemoryIsTheFilesWithWhatStoodThere) {
  constexpr std::uint64_t kBytes = 3 * kMebibyte + 100, kPages = kBytes / kMappingAlignment + 1;
  const auto address = *memory_->allocate(kBytes, MemoryKind::kDevice, kMappingAlignment);
  const auto neighbour = allocate(100);
  EXPECT_GE(neighbour, address + kPages * kMappingAlignment);
  EXPECT_EQ(memory_->free_bytes(), 16 * kMebibyte - kPages * kMappingAlignment - 256);
  auto* bytes = reinterpret_cast<char*>(address);
  bytes[0] = 1;
  bytes[kMebibyte] = 2;
  bytes[kBytes - 1] = 3;
  const int fd = ::memfd_create("test", MFD_CLOEXEC);
  ASSERT_EQ(::ftruncate(fd, kPages * kMappingAlignment), 0);
  EXPECT_EQ(memory_->share(neighbour, fd).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(memory_->share(address + 4096, fd).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(memory_->share(address, fd).ok());
  EXPECT_TRUE(memory_->accessible(address, kBytes));
  EXPECT_FALSE(memory_->accessible(address + kBytes, 256));
  bytes[1] = 4;
  auto in_file = [&](std::uint64_t at) {
    char byte = -1;
    EXPECT_EQ(::pread(fd, &byte, 1, static_cast<off_t>(at)), 1);
    return byte;
  };
  EXPECT_EQ(in_file(0), 1);
  EXPECT_EQ(in_file(1), 4);
  EXPECT_EQ(in_file(kMebibyte), 2);
  EXPECT_EQ(in_file(kBytes - 1), 3);
  EXPECT_EQ(in_file(2 * kMebibyte), 0);
  ASSERT_TRUE(memory_->release(address).ok());
  const auto again = *memory_->allocate(kBytes, MemoryKind::kDevice, kMappingAlignment);
  EXPECT_EQ(again, address);
  EXPECT_EQ(bytes[0], 0);  // the next owner's, and not the file's
  bytes[0] = 9;
  EXPECT_EQ(in_file(0), 1);
  ::close(fd);
}

TEST_F(MemoryTest, WhatIsElsewhereCountsAsTheDevices) {
  ASSERT_TRUE(memory_->take(12 * kMebibyte).ok());
  EXPECT_EQ(memory_->free_bytes(), 4 * kMebibyte);
  EXPECT_EQ(memory_->allocate(5 * kMebibyte, MemoryKind::kDevice).error().code(),
            ErrorCode::kLimit);
  EXPECT_EQ(memory_->take(5 * kMebibyte).error().code(), ErrorCode::kLimit);
  memory_->give_back(12 * kMebibyte);
  EXPECT_TRUE(memory_->release(allocate(16 * kMebibyte)).ok());
}

}  // namespace
}  // namespace longwire::softcuda::machine
