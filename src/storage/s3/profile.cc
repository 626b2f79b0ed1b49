#include "storage/s3/profile.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/ascii.h"

namespace cherax::storage::s3 {

namespace {

constexpr std::string_view kSpace = " \t\r\f\v";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

struct Setting {
  std::string_view name;
  std::string& (*member)(Profile&);
};

constexpr std::array kSettings{
    Setting{"aws_access_key_id", [](Profile& p) -> std::string& { return p.keys.access_key_id; }},
    Setting{"aws_secret_access_key", [](Profile& p) -> std::string& { return p.keys.secret_access_key; }},
    Setting{"aws_session_token", [](Profile& p) -> std::string& { return p.keys.session_token; }},
    Setting{"aws_security_token", [](Profile& p) -> std::string& { return p.keys.session_token; }},
    Setting{"region", [](Profile& p) -> std::string& { return p.region; }},
    Setting{"credential_process", [](Profile& p) -> std::string& { return p.credential_process; }},
    Setting{"role_arn", [](Profile& p) -> std::string& { return p.role_arn; }},
    Setting{"role_session_name", [](Profile& p) -> std::string& { return p.role_session_name; }},
    Setting{"external_id", [](Profile& p) -> std::string& { return p.external_id; }},
    Setting{"source_profile", [](Profile& p) -> std::string& { return p.source_profile; }},
    Setting{"credential_source", [](Profile& p) -> std::string& { return p.credential_source; }},
    Setting{"web_identity_token_file", [](Profile& p) -> std::string& { return p.web_identity_token_file; }},
};

enum class SharedFile { config, credentials };

/// nullopt for sections that are no profile.
std::optional<std::string> profile_name(std::string_view section, SharedFile file) {
  section = trimmed(section);
  if (file == SharedFile::credentials || section == "default") return std::string{section};
  static constexpr std::string_view kKind = "profile";
  if (!section.starts_with(kKind)) return std::nullopt;
  const auto rest = section.substr(kKind.size());
  auto name = trimmed(rest);
  if (name.empty() || name.size() == rest.size()) return std::nullopt;
  const char quote = name.front();
  if ((quote == '"' || quote == '\'') && name.size() > 1 && name.back() == quote) {
    return std::string{name.substr(1, name.size() - 2)};
  }
  if (name.find_first_of(kSpace) != std::string_view::npos) return std::nullopt;
  return std::string{name};
}

/// Reads one file line by line. What is indented deeper than the setting above it continues that one.
class Parser {
 public:
  explicit Parser(SharedFile file) : file_(file) {}

  /// What is wrong with the line, if anything is.
  std::string_view read(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (text.empty() || text.starts_with('#') || text.starts_with(';')) return {};
    const auto indent = line.find_first_not_of(kSpace);
    if (in_setting_ && indent > indent_) return {};
    indent_ = indent;
    if (const auto end = text.rfind(']'); text.starts_with('[') && end != std::string_view::npos && end > 1) {
      begin_section(text.substr(1, end - 1));
      return {};
    }
    if (!in_section_) return "stands before the first [section]";
    const auto separator = text.find_first_of("=:");
    if (separator == 0 || separator == std::string_view::npos) return "is neither `name = value` nor a [section]";
    in_setting_ = true;
    set(trimmed(text.substr(0, separator)), trimmed(text.substr(separator + 1)));
    return {};
  }

  Profiles take() { return std::move(profiles_); }

 private:
  void begin_section(std::string_view section) {
    in_section_ = true;
    in_setting_ = false;
    const auto name = profile_name(section, file_);
    profile_ = name ? &profiles_[*name] : nullptr;
  }

  void set(std::string_view name, std::string_view value) {
    if (!profile_) return;
    const auto* setting = std::ranges::find(kSettings, lower_case(name), &Setting::name);
    if (setting != kSettings.end()) setting->member(*profile_) = value;
  }

  SharedFile file_;
  Profiles profiles_;
  Profile* profile_ = nullptr;  // in profiles_; nullptr in a section of another kind
  bool in_section_ = false;
  bool in_setting_ = false;
  std::size_t indent_ = 0;
};

Result<Profiles> parse_file(std::string_view text, SharedFile file) {
  Parser parser{file};
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (const auto wrong = parser.read(line); !wrong.empty()) {
      return make_error(ErrorKind::invalid, "AWS' shared {} file: line {} {}",
                        file == SharedFile::config ? "config" : "credentials", number, wrong);
    }
  }
  return parser.take();
}

void merge(Profile& into, Profile& from) {
  // Never one file's key with the other's secret or token.
  if (!from.keys.access_key_id.empty()) into.keys = {};
  for (const Setting& setting : kSettings) {
    if (std::string& value = setting.member(from); !value.empty()) setting.member(into) = value;
  }
}

bool has_keys(const Profile& profile) { return !profile.keys.access_key_id.empty(); }

Result<Identity::Source> parse_credential_source(const std::string& text, const std::string& name) {
  if (text == "Environment") return Identity::Source::environment;
  if (text == "EcsContainer") return Identity::Source::container;
  if (text == "Ec2InstanceMetadata") return Identity::Source::instance;
  return make_error(ErrorKind::invalid,
                    "profile {}: its credential_source is none of Environment, EcsContainer, Ec2InstanceMetadata",
                    name);
}

Role role_of(const Profile& profile) { return {profile.role_arn, profile.role_session_name, profile.external_id}; }

/// A profile that assumes no role with another's credentials.
Result<Identity> own_identity(const Profile& profile, const std::string& name) {
  if (!profile.web_identity_token_file.empty()) {
    if (profile.role_arn.empty()) {
      return make_error(ErrorKind::invalid, "profile {} has a web_identity_token_file but no role_arn", name);
    }
    return Identity{.source = Identity::Source::web_identity,
                    .token_file = profile.web_identity_token_file,
                    .roles = {role_of(profile)}};
  }
  if (has_keys(profile) != !profile.keys.secret_access_key.empty()) {
    return make_error(ErrorKind::invalid, "profile {} has only one of aws_access_key_id and aws_secret_access_key",
                      name);
  }
  if (has_keys(profile)) return Identity{.source = Identity::Source::keys, .keys = profile.keys};
  if (!profile.credential_process.empty()) {
    return Identity{.source = Identity::Source::process, .process = profile.credential_process};
  }
  return make_error(ErrorKind::invalid, "profile {} has no credentials that Cherax knows how to get", name);
}

Result<Identity> identity_through(const Profiles& profiles, const std::string& name, std::set<std::string>& visited) {
  const auto found = profiles.find(name);
  if (found == profiles.end()) {
    return make_error(ErrorKind::invalid, "profile {} is in neither of AWS' shared files", name);
  }
  const Profile& profile = found->second;
  const bool is_source = !visited.empty();
  const bool is_new = visited.insert(name).second;
  const bool assumes = !profile.role_arn.empty() && profile.web_identity_token_file.empty();
  if (!assumes || (is_source && has_keys(profile))) return own_identity(profile, name);
  if (!is_new) return make_error(ErrorKind::invalid, "profile {} is by way of source_profile its own source", name);
  if (profile.source_profile.empty() == profile.credential_source.empty()) {
    return make_error(ErrorKind::invalid,
                      "profile {} needs one of source_profile and credential_source to its role_arn", name);
  }
  Identity identity;
  if (!profile.source_profile.empty()) {
    auto source = identity_through(profiles, profile.source_profile, visited);
    if (!source) return source;
    identity = std::move(*source);
  } else {
    const auto source = parse_credential_source(profile.credential_source, name);
    if (!source) return source.error();
    identity.source = *source;
  }
  identity.roles.push_back(role_of(profile));
  return identity;
}

}  // namespace

Result<Profiles> parse_profiles(std::string_view config, std::string_view credentials) {
  auto profiles = parse_file(config, SharedFile::config);
  if (!profiles) return profiles;
  auto second = parse_file(credentials, SharedFile::credentials);
  if (!second) return second;
  for (auto& [name, profile] : *second) merge((*profiles)[name], profile);
  return profiles;
}

Result<Identity> identity_of(const Profiles& profiles, const std::string& name) {
  std::set<std::string> visited;
  return identity_through(profiles, name, visited);
}

}  // namespace cherax::storage::s3
