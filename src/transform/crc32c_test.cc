#include "transform/crc32c.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "transform/testing.h"

namespace cherax::transform {
namespace {

TEST(Crc32c, IsPublishedVector) {
  // RFC 3720, appendix B.4; the last is the check value of the CRC catalogues.
  Bytes ascending(32);
  for (std::size_t i = 0; i < ascending.size(); ++i) ascending[i] = static_cast<std::byte>(i);
  const Bytes descending(ascending.rbegin(), ascending.rend());
  for (const auto crc : {crc32c, crc32c_portable}) {
    EXPECT_EQ(crc(Bytes(32, std::byte{0x00})), 0x8a9136aaU);
    EXPECT_EQ(crc(Bytes(32, std::byte{0xff})), 0x62a8ab43U);
    EXPECT_EQ(crc(ascending), 0x46dd794eU);
    EXPECT_EQ(crc(descending), 0x113fdb5cU);
    EXPECT_EQ(crc(as_bytes("123456789")), 0xe3069283U);
    EXPECT_EQ(crc({}), 0U);
  }
}

RC_GTEST_PROP(Crc32c, IsTheSameWithAndWithoutTheInstruction, (std::uint32_t seed)) {
  const Bytes bytes = testing::sample_bytes(*rc::gen::inRange<std::size_t>(0, 5000), seed);
  const ByteView part = ByteView{bytes}.subspan(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
  RC_ASSERT(crc32c(part) == crc32c_portable(part));
}

}  // namespace
}  // namespace cherax::transform
