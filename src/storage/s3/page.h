#pragma once

#include <string>
#include <string_view>

#include "storage/s3/xml.h"

namespace cherax::storage::s3 {

/// Reads keys of one answer: as they are, or as `encoding-type=url` has them: '+' for a space, %XX for other bytes, '/'
/// and unreserved ones as they are.
class KeyReader {
 public:
  /// What <EncodingType> below `root` says. Error{corrupt} for an encoding that is not known.
  static Result<KeyReader> of(pugi::xml_node root);

  /// Error{corrupt} when there is no such child, or its text is not what it was said to be.
  Result<std::string> read(pugi::xml_node parent, const char* child) const;

 private:
  explicit KeyReader(bool encoded) : encoded_(encoded) {}
  bool encoded_;
};

/// What every answer that is a page of a list begins with.
struct Page {
  pugi::xml_node root;
  KeyReader keys;
  bool more;  ///< <IsTruncated>
};

/// As open_answer(); Error{corrupt} also when the page does not say how it encodes keys or whether there is more.
Result<Page> open_page(pugi::xml_document& document, std::string_view text, std::string_view root);

}  // namespace cherax::storage::s3
