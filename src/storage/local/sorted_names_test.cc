#include "storage/local/sorted_names.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <set>

#include "storage/temporary_directory.h"

namespace cherax::storage::local {
namespace {

const auto kAll = [](const std::string& name) { return name != "./" && name != "../"; };

std::vector<std::string> all_of(SortedNames names) {
  std::vector<std::string> all;
  while (auto name = names.next()) all.push_back(*std::move(name));
  return all;
}

TEST(SortedNames, AreAllNamesInByteOrderForAnyWindow) {
  EXPECT_TRUE(rc::check([] {
    const TemporaryDirectory directory;
    const auto numbers = *rc::gen::container<std::set<unsigned>>(rc::gen::inRange(0U, 10'000U));
    std::set<std::string> expected;
    for (const unsigned number : numbers) {
      const auto name = std::to_string(number);
      std::ofstream{directory.path() / name};
      expected.insert(name);
    }
    const auto window = *rc::gen::inRange<std::size_t>(1, 40);
    RC_ASSERT(all_of({directory.path(), kAll, window}) == std::vector(expected.begin(), expected.end()));
  }));
}

TEST(SortedNames, SortFoldersAsTheirKeysDo) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "a");
  std::filesystem::create_directory_symlink("a", directory.path() / "link");
  for (const char* name : {"a-", "a.", "a0", "B"}) std::ofstream{directory.path() / name};
  EXPECT_EQ(all_of({directory.path(), kAll}), (std::vector<std::string>{"B", "a-", "a.", "a/", "a0", "link/"}));
}

TEST(SortedNames, LeaveOutWhatIsNotWanted) {
  const TemporaryDirectory directory;
  for (const char* name : {"1", "2", "3", "4"}) std::ofstream{directory.path() / name};
  const auto odd = [](const std::string& name) { return name == "1" || name == "3"; };
  EXPECT_EQ(all_of({directory.path(), odd, 1}), (std::vector<std::string>{"1", "3"}));
}

TEST(SortedNames, AreNoneInAFolderThatIsNotThere) { EXPECT_TRUE(all_of({"/nonexistent/folder", kAll}).empty()); }

}  // namespace
}  // namespace cherax::storage::local
