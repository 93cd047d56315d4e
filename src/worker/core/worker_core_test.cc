#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "base/random.h"
#include "worker/core/block_pool.h"
#include "worker/core/busy_time.h"
#include "worker/core/handle_map.h"
#include "worker/core/mirror_pool.h"

namespace longwire::worker::core {
namespace {

TEST(HandleMapTest, DoesAsAMapDoes) {
  base::SeededRandom random(1);
  HandleMap<int> map;
  std::map<wire::Handle, int*> model;
  std::vector<int> values(64);
  for (int step = 0; step < 200'000; ++step) {
    const wire::Handle handle = (std::uint64_t{9} << 56) | (1 + random.below(2000));
    int* const value = &values[random.below(values.size())];
    if (random.one_in(2)) {
      if (model.emplace(handle, value).second) map.insert(handle, value);
    } else {
      const auto found = model.find(handle);
      EXPECT_EQ(map.erase(handle), found == model.end() ? nullptr : found->second);
      if (found != model.end()) model.erase(found);
    }
    ASSERT_EQ(map.size(), model.size());
  }
  for (const auto& [handle, value] : model)
    EXPECT_EQ(map.find(handle), value);
  EXPECT_EQ(map.find(0), nullptr);
}

TEST(BlockPoolTest, BoundsWhatIsOut) {
  BlockPool pool(1 << 20);
  Block half = pool.acquire(1 << 19);
  Block other = pool.acquire(1 << 19);
  ASSERT_TRUE(half);
  ASSERT_TRUE(other);
  EXPECT_FALSE(pool.acquire(1));
  EXPECT_FALSE(pool.acquire(std::size_t{1} << 60));
  const std::byte* const memory = half.data();
  half.reset();
  Block again = pool.acquire((1 << 19) - 5);
  EXPECT_EQ(again.data(), memory) << "blocks are used again";
  EXPECT_EQ(again.size(), (std::size_t{1} << 19) - 5);
}

TEST(BlockPoolTest, WaitsForRoomUntilStopped) {
  BlockPool pool(8192);
  Block all = pool.acquire(8192);
  std::thread giver([&] { all.reset(); });
  EXPECT_TRUE(pool.acquire_wait(4096));
  giver.join();
  Block held = pool.acquire(8192);
  std::thread stopper([&] { pool.stop(); });
  EXPECT_FALSE(pool.acquire_wait(4096));
  stopper.join();
  EXPECT_FALSE(pool.acquire_wait(1 << 20)) << "can never be had";
}

TEST(MirrorPoolTest, OneThatBlocksDoesNotStopTheOthers) {
  std::atomic<bool> open{false};
  std::atomic<int> done{0};
  MirrorPool pool;
  ASSERT_TRUE(pool.run([&] {
    while (!open)
      std::this_thread::yield();
    ++done;
  }));
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(pool.run([&] { ++done; }));
  while (done < 20)
    std::this_thread::yield();
  EXPECT_FALSE(pool.stop(1)) << "the first is still in the driver";
  open = true;
  EXPECT_TRUE(pool.stop(-1));
  EXPECT_EQ(done, 21);
  EXPECT_FALSE(pool.run([] {}));
}

TEST(BusyTimeTest, AddsUpWhatIsUnderWay) {
  BusyTime busy;
  EXPECT_EQ(busy.at(100), 0);
  busy.begin(100);
  EXPECT_EQ(busy.at(130), 30) << "also before it has ended";
  busy.begin(120);  // it is
  busy.end(150);
  EXPECT_EQ(busy.at(900), 50);
  busy.begin(1000);
  busy.end(1007);
  EXPECT_EQ(busy.at(2000), 57);
}

}  // namespace
}  // namespace longwire::worker::core
