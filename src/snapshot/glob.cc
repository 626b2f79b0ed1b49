#include "snapshot/glob.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "snapshot/relative_path.h"

namespace cherax::snapshot {

namespace {

/// Decodes UTF-8; a byte that starts no well-formed character becomes a code of its own outside of Unicode.
std::u32string decode(std::string_view text) {
  std::u32string codes;
  codes.reserve(text.size());
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const auto character = text.substr(0, length);
    if (!is_utf8(character)) {
      codes.push_back(0x110000 + lead);
      text.remove_prefix(1);
      continue;
    }
    char32_t code = length == 1 ? lead : lead & (0x7f >> length);
    for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3f);
    codes.push_back(code);
    text.remove_prefix(length);
  }
  return codes;
}

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

std::optional<Ranges> named_ranges(std::u32string_view name) {
  static const std::array<std::pair<std::u32string_view, Ranges>, 14> kNamed{{
      {U"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
      {U"alpha", {{'A', 'Z'}, {'a', 'z'}}},
      {U"ascii", {{0, 0x7f}}},
      {U"blank", {{'\t', '\t'}, {' ', ' '}}},
      {U"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}},
      {U"digit", {{'0', '9'}}},
      {U"graph", {{0x21, 0x7e}}},
      {U"lower", {{'a', 'z'}}},
      {U"print", {{0x20, 0x7e}}},
      {U"punct", {{0x21, 0x2f}, {0x3a, 0x40}, {0x5b, 0x60}, {0x7b, 0x7e}}},
      {U"space", {{'\t', '\r'}, {' ', ' '}}},
      {U"upper", {{'A', 'Z'}}},
      {U"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
      {U"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
  }};
  const auto found = std::ranges::find(kNamed, name, &std::pair<std::u32string_view, Ranges>::first);
  if (found == kNamed.end()) return std::nullopt;
  return found->second;
}

}  // namespace

/// Reads a set behind its '['. When it has no end, the '[' was a literal one.
struct Glob::SetParser {
  std::u32string_view rest;
  Character set{.kind = Character::Kind::set};

  bool parse() {
    if (!rest.empty() && (rest.front() == U'!' || rest.front() == U'^')) {
      set.negated = true;
      rest.remove_prefix(1);
    }
    for (bool first = true;; first = false) {
      if (rest.empty()) return false;
      if (rest.front() == U']' && !first) break;
      if (!take_class() && !take_range()) return false;
    }
    rest.remove_prefix(1);
    return true;
  }

  bool take_class() {
    if (!rest.starts_with(U"[:")) return false;
    const auto end = rest.find(U":]");
    if (end == std::u32string_view::npos) return false;
    const auto ranges = named_ranges(rest.substr(2, end - 2));
    if (!ranges) return false;
    set.ranges.insert(set.ranges.end(), ranges->begin(), ranges->end());
    rest.remove_prefix(end + 2);
    return true;
  }

  std::optional<char32_t> take_character() {
    if (!rest.empty() && rest.front() == U'\\') rest.remove_prefix(1);
    if (rest.empty()) return std::nullopt;
    const char32_t code = rest.front();
    rest.remove_prefix(1);
    return code;
  }

  bool take_range() {
    const auto first = take_character();
    if (!first) return false;
    auto last = first;
    const bool class_follows = rest.starts_with(U"-[:") && rest.find(U":]") != std::u32string_view::npos;
    if (rest.size() >= 2 && rest[0] == U'-' && rest[1] != U']' && !class_follows) {
      rest.remove_prefix(1);
      last = take_character();
      if (!last) return false;
    }
    if (*first <= *last) set.ranges.emplace_back(*first, *last);  // a range backwards is empty
    return true;
  }
};

bool Glob::Character::accepts(char32_t code) const {
  switch (kind) {
    case Kind::literal:
      return code == literal;
    case Kind::any_one:
      return true;
    case Kind::set:
      return negated != std::ranges::any_of(
                            ranges, [&](const auto& range) { return range.first <= code && code <= range.second; });
    case Kind::any_run:
      break;
  }
  return false;
}

bool Glob::Segment::matches(std::u32string_view name) const {
  using Kind = Character::Kind;
  const bool literal_dot =
      !characters.empty() && characters.front().kind == Kind::literal && characters.front().literal == U'.';
  if (name.empty() || (name.front() == U'.' && !literal_dot)) return false;

  // Going back to the last run only is enough: what an earlier run could take more, the last one can take, too.
  std::size_t at = 0;
  std::size_t position = 0;
  std::optional<std::size_t> run;
  std::size_t run_end = 0;
  while (position < name.size()) {
    if (at < characters.size() && characters[at].kind == Kind::any_run) {
      run = at++;
      run_end = position;
    } else if (at < characters.size() && characters[at].accepts(name[position])) {
      ++at;
      ++position;
    } else if (run) {
      at = *run + 1;
      position = ++run_end;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(characters.begin() + static_cast<std::ptrdiff_t>(at), characters.end(),
                             [](const Character& rest) { return rest.kind == Kind::any_run; });
}

Glob::Segment Glob::compile_segment(std::u32string_view text) {
  using Kind = Character::Kind;
  if (text == U"**") return {.any_directories = true};
  Segment segment;
  bool sets_end = true;  // once one has no end, neither has any other
  while (!text.empty()) {
    const char32_t code = text.front();
    text.remove_prefix(1);
    if (code == U'*') {
      segment.characters.push_back({.kind = Kind::any_run});
    } else if (code == U'?') {
      segment.characters.push_back({.kind = Kind::any_one});
    } else if (code == U'\\') {
      if (text.empty()) break;
      segment.characters.push_back({.literal = text.front()});
      text.remove_prefix(1);
    } else if (SetParser parser{text}; code == U'[' && sets_end && parser.parse()) {
      segment.characters.push_back(std::move(parser.set));
      text = parser.rest;
    } else {
      if (code == U'[') sets_end = false;
      segment.characters.push_back({.literal = code});
    }
  }
  return segment;
}

Glob::Glob(std::string_view pattern) : pattern_(pattern) {
  auto codes = decode(pattern);
  // An escaped slash is a slash: remove its backslash before the pattern is cut into segments.
  for (std::size_t i = 0; i + 1 < codes.size(); ++i) {
    if (codes[i] != U'\\') continue;
    if (codes[i + 1] == U'/') {
      codes.erase(i, 1);
    } else {
      ++i;
    }
  }
  matchable_ = !codes.empty() && codes.front() != U'/' && codes.back() != U'/';
  for (std::u32string_view rest{codes}; !rest.empty();) {
    const auto slash = rest.find(U'/');
    const auto text = rest.substr(0, slash);
    rest = slash == std::u32string_view::npos ? std::u32string_view{} : rest.substr(slash + 1);
    if (!text.empty()) segments_.push_back(compile_segment(text));
  }
}

void Glob::skip_empty(std::vector<bool>& positions) const {
  // "**" may stand for no directory at all; at the end of the pattern it stands for a name at least.
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
    if (positions[i] && segments_[i].any_directories) positions[i + 1] = true;
  }
}

std::vector<bool> Glob::positions_after(std::string_view path) const {
  std::vector<bool> positions(segments_.size() + 1);
  positions[0] = matchable_;
  skip_empty(positions);
  while (!path.empty()) {
    const auto name = decode(take_segment(path));
    std::vector<bool> next(positions.size());
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      if (!positions[i]) continue;
      if (!segments_[i].any_directories) {
        if (segments_[i].matches(name)) next[i + 1] = true;
      } else if (!name.starts_with(U'.')) {
        next[i] = true;
        if (i + 1 == segments_.size()) next[i + 1] = true;
      }
    }
    positions = std::move(next);
    skip_empty(positions);
  }
  return positions;
}

bool Glob::matches(std::string_view path) const { return !path.empty() && positions_after(path).back(); }

bool Glob::may_match_below(std::string_view directory) const {
  const auto positions = positions_after(directory);
  return std::find(positions.begin(), positions.end() - 1, true) != positions.end() - 1;
}

}  // namespace cherax::snapshot
