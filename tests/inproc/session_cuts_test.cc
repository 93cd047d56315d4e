// Whole sessions whose links break at chosen bytes, the stream's and the lanes': a program sees
// nothing of it, every command runs once, and every byte arrives. Which bytes follows from a seed;
// a failure is repeated with LONGWIRE_CUT_SEED=n, as far as threads let it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/random.h"
#include "session_fixture.h"

namespace longwire::inproc {
namespace {

using Words = std::vector<std::uint32_t>;

constexpr const char* kSource = R"(
kernel void add(global uint* a, global uint* b, global uint* c) {
  const size_t i = get_global_id(0);
  c[i] = a[i] + b[i];
}
)";
constexpr std::size_t kSizes[] = {16, 5'000, 20'000, 400'000, 1'300'000};
constexpr int kLaunches = 4;

class CutsTest : public SessionFixture {
 protected:
  CutsTest() : SessionFixture(0) {}
  void TearDown() override {
    if (rig) rig->node().cut_links(nullptr);  // the end is in order
    if (kernel != nullptr) api::ReleaseKernel(kernel);
    SessionFixture::TearDown();
  }

  void build() {
    const char* source = kSource;
    program = api::CreateProgramWithSource(context, 1, &source, nullptr, nullptr);
    ASSERT_EQ(api::BuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_SUCCESS);
    kernel = api::CreateKernel(program, "add", nullptr);
    ASSERT_NE(kernel, nullptr);
  }
  cl_mem new_buffer(std::size_t words) {
    return api::CreateBuffer(context, CL_MEM_READ_WRITE, words * 4, nullptr, nullptr);
  }
  // Writes, doubles `kLaunches` times, and reads. The memory of a blocking write is used again at
  // once, as programs do.
  void round(std::size_t words, cl_bool blocking, std::uint32_t salt) {
    SCOPED_TRACE(std::to_string(words) + " words");
    const cl_mem buffer = new_buffer(words);
    Words data(words);
    for (std::size_t i = 0; i < words; ++i)
      data[i] = static_cast<std::uint32_t>(i) * 2654435761u + salt;
    Words expected(words);
    for (std::size_t i = 0; i < words; ++i)
      expected[i] = data[i] << kLaunches;
    ASSERT_EQ(api::EnqueueWriteBuffer(queue, buffer, blocking, 0, words * 4, data.data(), 0,
                                      nullptr, nullptr),
              CL_SUCCESS);
    if (blocking == CL_TRUE) std::fill(data.begin(), data.end(), 0xdeadbeef);
    for (cl_uint arg = 0; arg < 3; ++arg)
      ASSERT_EQ(api::SetKernelArg(kernel, arg, sizeof buffer, &buffer), CL_SUCCESS);
    for (int i = 0; i < kLaunches; ++i) {
      ASSERT_EQ(api::EnqueueNDRangeKernel(queue, kernel, 1, nullptr, &words, nullptr, 0, nullptr,
                                          nullptr),
                CL_SUCCESS);
    }
    Words result(words);
    ASSERT_EQ(api::EnqueueReadBuffer(queue, buffer, blocking, 0, words * 4, result.data(), 0,
                                     nullptr, nullptr),
              CL_SUCCESS);
    ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
    EXPECT_TRUE(result == expected);
    EXPECT_EQ(api::ReleaseMemObject(buffer), CL_SUCCESS);
  }

  cl_kernel kernel = nullptr;
};

std::uint64_t seeds() {
  const char* text = std::getenv("LONGWIRE_CUT_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 0;
}

TEST_P(CutsTest, EveryLinkBreaksSomewhere) {
  build();
  const std::uint64_t only = seeds();
  for (std::uint64_t seed = only != 0 ? only : 1; seed <= (only != 0 ? only : 6); ++seed) {
    SCOPED_TRACE("LONGWIRE_CUT_SEED=" + std::to_string(seed));
    base::SeededRandom random(seed);
    const std::uint64_t most = std::uint64_t{2000} << random.below(11);
    // Now and then one that the largest chunk gets through.
    rig->node().cut_links([cuts = std::make_shared<base::SeededRandom>(seed), most] {
      return (cuts->one_in(3) ? std::size_t{3} << 20 : 200) + cuts->below(most);
    });
    const std::size_t before = rig->node().links();
    for (const std::size_t words : kSizes) {
      round(words, random.one_in(2) ? CL_TRUE : CL_FALSE, static_cast<std::uint32_t>(seed));
      if (HasFailure()) return;
    }
    rig->node().cut_links(nullptr);
    EXPECT_GT(rig->node().links(), before);
  }
}

INSTANTIATE_TEST_SUITE_P(OverLinks, CutsTest,
                         ::testing::Values(Setup{Transport::kInproc, Driver::kFake, 0, true},
                                           Setup{Transport::kInproc, Driver::kFake, 2, true},
                                           Setup{Transport::kUnix, Driver::kFake, 4, true},
                                           Setup{Transport::kTcp, Driver::kFake, 4, true}),
                         [](const auto& info) { return name_of(info.param); });

}  // namespace
}  // namespace longwire::inproc
