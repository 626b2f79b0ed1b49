#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace cherax::storage::s3 {

/// Who signs. Deliberately neither formattable nor streamable: it never ends up in a message or a log.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;         ///< empty for keys that live long
  std::optional<Timestamp> expires;  ///< nullopt for keys that live long
};

enum class Refresh {
  not_needed,
  wanted,    ///< ask for new ones; when that fails, go on with these
  required,  ///< these are refused any moment, or are already
};

/// Whether to ask the provider of `credentials` for new ones at `now`. Wanted in the last 15 minutes, which is as long
/// as the shortest that STS gives and more than the 5 minutes before which a machine's role has no new ones, but once a
/// minute only: `asked` is when the provider was asked last, with or without success. Required in the last minute.
Refresh refresh_decision(const Credentials& credentials, Timestamp asked, Timestamp now);

// What the providers of credentials answer. All of these are Error{corrupt} for what is no such answer, with nothing of
// it in the message, and Error{denied} for one that says why there are no credentials.

/// Of the process that a profile names as credential_process:
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
Result<Credentials> parse_process_output(std::string_view text);

/// Of a container's endpoint (ECS, EKS pod identity), or of the instance metadata service, which both name a token
/// `Token`: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html,
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
Result<Credentials> parse_metadata_answer(std::string_view text);

/// Of STS to AssumeRole and AssumeRoleWithWebIdentity, when it succeeds:
/// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
Result<Credentials> parse_assumed_role(std::string_view text);

}  // namespace cherax::storage::s3
