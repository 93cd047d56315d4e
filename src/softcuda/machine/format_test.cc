#include "softcuda/machine/format.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace longwire::softcuda::machine {
namespace {

// Arguments as the ABI packs them.
struct Packed {
  std::vector<std::byte> bytes;
  template <class T>
  Packed& add(T value) {
    bytes.resize((bytes.size() + sizeof value - 1) / sizeof value * sizeof value);
    bytes.resize(bytes.size() + sizeof value);
    std::memcpy(bytes.data() + bytes.size() - sizeof value, &value, sizeof value);
    return *this;
  }
};

FormatResult format(const char* text, const Packed& packed) {
  FormatReader reader{[&](std::uint64_t at, std::uint32_t bytes) {
                        EXPECT_LE(at + bytes, packed.bytes.size());
                        return packed.bytes.data() + at;
                      },
                      [](std::uint64_t address) {
                        return std::string_view(reinterpret_cast<const char*>(address));
                      }};
  check_format(text, reader);
  return format_text(text, reader);
}

TEST(FormatTest, Integers) {
  EXPECT_EQ(format("%d %5d|%-5d|%05d", Packed().add(-1).add(2).add(3).add(4)).text,
            "-1     2|3    |00004");
  EXPECT_EQ(format("%u %x %X %o %#x", Packed().add(~0U).add(255).add(255).add(8).add(16)).text,
            "4294967295 ff FF 10 0x10");
  EXPECT_EQ(format("%lld %llu %ld", Packed().add(-5LL).add(~0ULL).add(7L)).text,
            "-5 18446744073709551615 7");
  EXPECT_EQ(format("%hhd %hu", Packed().add(0x1ff).add(0x12345)).text, "-1 9029");
}

TEST(FormatTest, AlignsWideArguments) {
  EXPECT_EQ(format("%d %f %d %lld", Packed().add(1).add(2.5).add(3).add(4LL)).text,
            "1 2.500000 3 4");
}

TEST(FormatTest, FloatsCharactersStringsPointers) {
  EXPECT_EQ(format("%.2f %e %g %c", Packed().add(1.005).add(1e10).add(0.5).add(int{'x'})).text,
            "1.00 1.000000e+10 0.5 x");
  const char* text = "words";
  EXPECT_EQ(format("[%s|%8s|%-8s|%.3s]", Packed().add(text).add(text).add(text).add(text)).text,
            "[words|   words|words   |wor]");
  EXPECT_EQ(format("%s", Packed().add(std::uint64_t{0})).text, "(null)");
  EXPECT_EQ(format("%p", Packed().add(std::uint64_t{0x1234})).text, "0x1234");
}

TEST(FormatTest, WidthsAsArguments) {
  EXPECT_EQ(format("%*d|%-*d|%*d|%.*f",
                   Packed().add(4).add(1).add(4).add(2).add(-4).add(3).add(1).add(2.55))
                .text,
            "   1|2   |3   |2.5");
}

TEST(FormatTest, CountsArgumentsAndLeavesWhatIsNone) {
  const auto result = format("100%% %d %y %", Packed().add(1));
  EXPECT_EQ(result.text, "100% 1 %y %");
  EXPECT_EQ(result.arguments, 1U);
}

TEST(FormatTest, LimitsWidths) {
  EXPECT_EQ(format("%99999999999d", Packed().add(1)).text.size(), 4096U);
}

}  // namespace
}  // namespace longwire::softcuda::machine
