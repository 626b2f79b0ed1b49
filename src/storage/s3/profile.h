#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/s3/credentials.h"

/// The files ~/.aws/config and ~/.aws/credentials, as the AWS CLI reads them:
/// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
namespace cherax::storage::s3 {

/// What of a profile says who signs. Empty text: not there.
struct Profile {
  Credentials keys;
  std::string region;
  std::string credential_process;
  std::string role_arn;
  std::string role_session_name;
  std::string external_id;
  std::string source_profile;
  std::string credential_source;
  std::string web_identity_token_file;
};

using Profiles = std::map<std::string, Profile>;

/// Both files' text, empty for one that does not exist. In the first a profile is `[profile name]` (`[default]` needs
/// no more), in the second `[name]`; what both say is as the second has it, its keys always with its own session token.
/// Of a setting twice the last counts. Comments are whole lines; indented lines belong to the setting above them and
/// are passed over, as are settings and sections of other kinds. Error{invalid} names the file and the line, and shows
/// nothing of it.
Result<Profiles> parse_profiles(std::string_view config, std::string_view credentials);

/// A role to assume.
struct Role {
  std::string arn;
  std::string session_name;
  std::string external_id;
  bool operator==(const Role&) const = default;
};

/// Where the credentials of a profile come from, and which roles are assumed with them, one after the other.
struct Identity {
  enum class Source {
    keys,
    process,       ///< `process` is to be run
    web_identity,  ///< the first role is assumed with the token in `token_file`
    environment,
    container,
    instance,
  };
  Source source = Source::keys;
  Credentials keys;
  std::string process;
  std::string token_file;
  std::vector<Role> roles;
};

/// Follows source_profile to its end. As in the CLI a role comes before keys, but in a profile that another names as
/// its source, keys come before a role; web identity comes before both, a process last. Error{invalid} names the
/// profile: it is not there, says half of a thing, has nothing to sign with, or is its own source.
Result<Identity> identity_of(const Profiles& profiles, const std::string& name);

}  // namespace cherax::storage::s3
