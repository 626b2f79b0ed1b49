#include "coordinator/blocks.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>

namespace cherax::coordinator {
namespace {

Digest digest(unsigned number) {
  Digest digest;
  digest.bytes[0] = static_cast<std::byte>(number >> 8);
  digest.bytes[1] = static_cast<std::byte>(number);
  return digest;
}

TEST(BlockTable, KnowsEachDigestOnceWithTheNodesThatHaveIt) {
  EXPECT_TRUE(rc::check([] {
    const auto draws = *rc::gen::container<std::vector<std::pair<unsigned, unsigned>>>(
        rc::gen::pair(rc::gen::inRange(0U, 12U), rc::gen::inRange(0U, 40U)));
    std::map<Digest, std::set<std::uint16_t>> expected;
    BlockTable table;
    for (unsigned node = 0; node < 12; ++node) {
      for (const auto& [on, number] : draws) {
        if (on != node) continue;
        table.add(Block::on(static_cast<std::uint16_t>(node), digest(number), number + 1));
        expected[digest(number)].insert(static_cast<std::uint16_t>(node));
      }
    }
    const auto blocks = table.take();
    RC_ASSERT(blocks.size() == expected.size());
    auto block = blocks.begin();
    for (const auto& [digest, nodes] : expected) {
      RC_ASSERT(block->digest == digest);
      RC_ASSERT(block->copies == nodes.size());
      for (const auto node : block->candidates()) RC_ASSERT(nodes.contains(node));
      RC_ASSERT(std::set(block->candidates().begin(), block->candidates().end()).size() ==
                std::min<std::size_t>(nodes.size(), Block::kCandidates));
      ++block;
    }
  }));
}

TEST(BlockTable, StaysSmallOverManyNodesWithTheSameContent) {
  BlockTable table;
  for (std::uint16_t node = 0; node < 1000; ++node) {
    for (unsigned number = 0; number < 100; ++number) table.add(Block::on(node, digest(number), 5));
  }
  const auto blocks = table.take();
  EXPECT_EQ(blocks.size(), 100U);
  EXPECT_EQ(blocks[0].copies, 255);
}

TEST(BlockTable, RefusesOneDigestWithTwoSizes) {
  BlockTable table;
  table.add(Block::on(0, digest(1), 5));
  table.add(Block::on(1, digest(1), 6));
  EXPECT_THROW(table.take(), Error);
}

TEST(Distribute, GivesEachMissingBlockToOneOfItsNodes) {
  EXPECT_TRUE(rc::check([] {
    auto blocks = *rc::gen::container<std::vector<Block>>(rc::gen::exec([] {
      Block block{.digest = digest(*rc::gen::inRange(0U, 60000U)), .size = *rc::gen::inRange<std::uint64_t>(0, 1000)};
      block.copies = *rc::gen::inRange<std::uint8_t>(1, 4);
      for (unsigned i = 0; i < block.copies; ++i) block.nodes[i] = static_cast<std::uint16_t>(i * 2 + block.size % 2);
      block.presence = *rc::gen::element(Block::missing, Block::stored, Block::stored_long_ago);
      return block;
    }));
    const auto missing = std::ranges::count(blocks, Block::missing, &Block::presence);
    std::int64_t assigned = 0;
    std::pair<int, std::int64_t> last{0, 0};
    distribute(blocks, 6, [&](std::size_t node, const Block& block) {
      const auto candidates = block.candidates();
      RC_ASSERT(std::ranges::find(candidates, node) != candidates.end());
      const std::pair<int, std::int64_t> now{block.copies, -static_cast<std::int64_t>(block.size)};
      RC_ASSERT(assigned == 0 || last <= now);
      last = now;
      ++assigned;
    });
    RC_ASSERT(assigned == missing);
  }));
}

TEST(Distribute, SpreadsBytesEvenlyOverNodesThatHaveEverything) {
  std::vector<Block> blocks;
  for (unsigned i = 0; i < 300; ++i) {
    Block block{.digest = digest(i), .size = 1000 + i, .copies = 3};
    block.nodes = {0, 1, 2};
    blocks.push_back(block);
  }
  std::vector<std::uint64_t> bytes(3);
  distribute(blocks, 3, [&](std::size_t node, const Block& block) { bytes[node] += block.size; });
  EXPECT_LT(*std::ranges::max_element(bytes) - *std::ranges::min_element(bytes), 2000U);
}

}  // namespace
}  // namespace cherax::coordinator
