#include "storage/s3/answer.h"

#include "storage/s3/error_answer.h"

namespace cherax::storage::s3 {

Result<pugi::xml_node> open_answer(pugi::xml_document& document, std::string_view text, std::string_view root) {
  const auto parsed = parse_xml(document, text);
  if (!parsed) return parsed.error().in_context(fmt::format("reading a {} of S3", root));
  if (parsed->name() == root) return *parsed;
  if (parsed->name() == std::string_view{"Error"}) return to_error(parse_error_answer(200, {}, text));
  return make_error(ErrorKind::corrupt, "S3 answered something that is no {}: is the endpoint an S3 server?", root);
}

}  // namespace cherax::storage::s3
