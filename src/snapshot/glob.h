#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cherax::snapshot {

/// A compiled root glob, with the meaning that Python's wcmatch gives it under GLOBSTAR: `*` any characters and `?` one
/// within a segment, `[..]` `[!..]` `[^..]` a character of a set (ranges, `[:alpha:]` and its like in ASCII), `\` takes
/// the next character literally, `**` as a whole segment any number of directories. A leading dot is matched by a
/// literal dot only; `**` neither enters nor yields a hidden name. No braces, no extended globs; case-sensitive.
/// Characters are code points; a byte that is not UTF-8 counts as one. A pattern that no relative path of a file can
/// match (absolute, a trailing '/') is legal and matches nothing.
/// Immutable: any thread. Time is at most pattern × path, whatever the pattern.
class Glob {
 public:
  explicit Glob(std::string_view pattern);

  const std::string& pattern() const { return pattern_; }

  bool matches(std::string_view path) const;
  /// Whether something below `directory` ("" is the root) can match, so that a walk has to enter it.
  bool may_match_below(std::string_view directory) const;

 private:
  struct Character {
    enum class Kind { literal, any_one, any_run, set } kind = Kind::literal;
    char32_t literal = 0;
    bool negated = false;
    std::vector<std::pair<char32_t, char32_t>> ranges;

    bool accepts(char32_t code) const;
  };
  struct Segment {
    bool any_directories = false;  ///< `**`
    std::vector<Character> characters;

    bool matches(std::u32string_view name) const;
  };
  struct SetParser;

  static Segment compile_segment(std::u32string_view text);
  /// Which segments may come next, one flag a segment and one for the end, after those of `path` were consumed.
  std::vector<bool> positions_after(std::string_view path) const;
  void skip_empty(std::vector<bool>& positions) const;

  std::string pattern_;
  std::vector<Segment> segments_;
  bool matchable_ = true;
};

}  // namespace cherax::snapshot
