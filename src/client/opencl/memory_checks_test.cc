#include "client/opencl/memory_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace longwire::client::opencl {
namespace {

BufferRect rect(Extent3 origin, Extent3 region, std::size_t row, std::size_t slice) {
  BufferRect made;
  EXPECT_EQ(BufferRect::make(origin.data(), region.data(), row, slice, &made), CL_SUCCESS);
  return made;
}

cl_int make(Extent3 origin, Extent3 region, std::size_t row, std::size_t slice) {
  BufferRect made;
  return BufferRect::make(origin.data(), region.data(), row, slice, &made);
}

TEST(InBounds, DoesNotWrap) {
  EXPECT_TRUE(in_bounds(0, 10, 10));
  EXPECT_TRUE(in_bounds(10, 0, 10));
  EXPECT_FALSE(in_bounds(1, 10, 10));
  EXPECT_FALSE(in_bounds(~std::size_t{0}, 2, 10));
  EXPECT_FALSE(in_bounds(2, ~std::size_t{0}, 10));
}

TEST(BufferRect, FillsInPitches) {
  const BufferRect made = rect({1, 2, 3}, {4, 5, 6}, 0, 0);
  EXPECT_EQ(made.row_pitch, 4u);
  EXPECT_EQ(made.slice_pitch, 20u);
  EXPECT_EQ(made.begin(), 3u * 20 + 2 * 4 + 1);
  EXPECT_EQ(made.end(), made.begin() + 5 * 20 + 4 * 4 + 4);
}

TEST(BufferRect, RefusesWhatTheSpecificationRefuses) {
  EXPECT_EQ(make({0, 0, 0}, {0, 1, 1}, 0, 0), CL_INVALID_VALUE);
  EXPECT_EQ(make({0, 0, 0}, {4, 2, 1}, 3, 0), CL_INVALID_VALUE) << "rows overlap";
  EXPECT_EQ(make({0, 0, 0}, {4, 2, 2}, 8, 15), CL_INVALID_VALUE) << "slices overlap";
  EXPECT_EQ(make({0, 0, 0}, {4, 2, 2}, 8, 20), CL_INVALID_VALUE) << "no multiple of the row pitch";
  EXPECT_EQ(make({0, 0, 0}, {4, 2, 2}, 8, 24), CL_SUCCESS);
  BufferRect made;
  EXPECT_EQ(BufferRect::make(nullptr, nullptr, 0, 0, &made), CL_INVALID_VALUE);
}

TEST(BufferRect, RefusesOverflow) {
  const std::size_t huge = ~std::size_t{0} / 2;
  EXPECT_EQ(make({0, 0, 0}, {huge, 4, 1}, 0, 0), CL_INVALID_VALUE);
  EXPECT_EQ(make({0, huge, 0}, {16, 1, 1}, 0, 0), CL_INVALID_VALUE);
  EXPECT_EQ(make({huge, 0, 0}, {huge, 1, 1}, 0, 0), CL_INVALID_VALUE);
}

std::set<std::size_t> bytes_of(const BufferRect& box, std::size_t base) {
  std::set<std::size_t> bytes;
  for (std::size_t z = 0; z < box.region[2]; ++z) {
    for (std::size_t y = 0; y < box.region[1]; ++y) {
      for (std::size_t x = 0; x < box.region[0]; ++x)
        bytes.insert(base + box.begin() + z * box.slice_pitch + y * box.row_pitch + x);
    }
  }
  return bytes;
}

// Where the test says that boxes are apart they share no byte. (It may call boxes overlapping that
// are not: the specification's own test does, for boxes that wrap around a pitch.)
TEST(RectsOverlap, NeverMissesOne) {
  const Extent3 region{2, 2, 2};
  const BufferRect from = rect({1, 1, 0}, region, 5, 20);
  std::size_t apart = 0;
  for (std::size_t x = 0; x < 5; ++x) {
    for (std::size_t y = 0; y < 4; ++y) {
      for (std::size_t z = 0; z < 3; ++z) {
        const BufferRect to = rect({x, y, z}, region, 5, 20);
        std::set<std::size_t> shared;
        const auto a = bytes_of(from, 0);
        const auto b = bytes_of(to, 0);
        std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                              std::inserter(shared, shared.end()));
        const bool says = rects_overlap(from, to, 0, 0);
        EXPECT_TRUE(says || shared.empty()) << x << y << z;
        apart += says ? 0 : 1;
      }
    }
  }
  EXPECT_GT(apart, 20u);
}

TEST(RectsOverlap, SideBySideInARowIsApart) {
  EXPECT_FALSE(
      rects_overlap(rect({0, 0, 0}, {2, 4, 1}, 8, 0), rect({2, 0, 0}, {2, 4, 1}, 8, 0), 0, 0));
  EXPECT_TRUE(
      rects_overlap(rect({0, 0, 0}, {3, 4, 1}, 8, 0), rect({2, 0, 0}, {3, 4, 1}, 8, 0), 0, 0));
}

TEST(RectsOverlap, SubBuffersOfOneParent) {
  const BufferRect box = rect({0, 0, 0}, {4, 2, 1}, 4, 0);
  EXPECT_FALSE(rects_overlap(box, box, 0, 8));
  EXPECT_TRUE(rects_overlap(box, box, 0, 4));
}

TEST(BoxesOverlap, InEveryAxis) {
  EXPECT_TRUE(boxes_overlap({0, 0, 0}, {1, 1, 0}, {2, 2, 1}));
  EXPECT_FALSE(boxes_overlap({0, 0, 0}, {2, 1, 0}, {2, 2, 1}));
  EXPECT_FALSE(boxes_overlap({0, 0, 0}, {0, 2, 0}, {2, 2, 1}));
  EXPECT_FALSE(boxes_overlap({0, 0, 0}, {0, 0, 1}, {2, 2, 1}));
}

TEST(Flags, Exclusions) {
  EXPECT_EQ(check_memory_flags(0), CL_SUCCESS);
  EXPECT_EQ(check_memory_flags(CL_MEM_READ_ONLY | CL_MEM_WRITE_ONLY), CL_INVALID_VALUE);
  EXPECT_EQ(check_memory_flags(CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR), CL_INVALID_VALUE);
  EXPECT_EQ(check_memory_flags(CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR), CL_SUCCESS);
  EXPECT_EQ(check_memory_flags(CL_MEM_HOST_NO_ACCESS | CL_MEM_HOST_READ_ONLY), CL_INVALID_VALUE);
  EXPECT_EQ(check_memory_flags(CL_MEM_SVM_FINE_GRAIN_BUFFER), CL_INVALID_VALUE);
}

TEST(Flags, SubBuffersInherit) {
  const cl_mem_flags parent = CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR | CL_MEM_HOST_READ_ONLY;
  EXPECT_EQ(inherit_flags(parent, 0).first, parent);
  EXPECT_EQ(inherit_flags(CL_MEM_READ_WRITE, CL_MEM_READ_ONLY).first, CL_MEM_READ_ONLY);
  EXPECT_EQ(inherit_flags(CL_MEM_READ_ONLY, CL_MEM_READ_WRITE).second, CL_INVALID_VALUE);
  EXPECT_EQ(inherit_flags(CL_MEM_WRITE_ONLY, CL_MEM_READ_ONLY).second, CL_INVALID_VALUE);
  EXPECT_EQ(inherit_flags(CL_MEM_HOST_NO_ACCESS, CL_MEM_HOST_READ_ONLY).second, CL_INVALID_VALUE);
  EXPECT_EQ(inherit_flags(0, CL_MEM_COPY_HOST_PTR).second, CL_INVALID_VALUE);
}

}  // namespace
}  // namespace longwire::client::opencl
