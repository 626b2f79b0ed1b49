#include "storage/s3/xml.h"

#include <gtest/gtest.h>

namespace cherax::storage::s3 {
namespace {

std::string text_of_a(const std::string& xml) {
  pugi::xml_document document;
  return text_at(parse_xml(document, xml).value(), "a");
}

TEST(Xml, ReadsTextAsItIs) {
  EXPECT_EQ(text_of_a("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<r xmlns=\"x\">\n <a>b</a>\n</r>\n"), "b");
  EXPECT_EQ(text_of_a("<r><a> b c </a></r>"), " b c ");
  EXPECT_EQ(text_of_a("<r><a> </a></r>"), " ");
  EXPECT_EQ(text_of_a("<r><a>&lt;&amp;&#34;&#x9;&#x20AC;</a></r>"), "<&\"\t\u20ac");
  EXPECT_EQ(text_of_a("<r><a>x<![CDATA[<&]]>y<!-- no -->z</a></r>"), "x<&yz");
  EXPECT_EQ(text_of_a("<r><a/></r>"), "");
  EXPECT_EQ(text_of_a("<r/>"), "");
}

TEST(Xml, RefusesWhatIsNotOneWholeElement) {
  const std::string nul("<r>\0</r>", 8);
  for (const std::string& xml :
       {std::string{}, std::string{" "}, std::string{"x"}, std::string{"<r>"}, std::string{"<r><a>b</a>"},
        std::string{"<r></a>"}, std::string{"<r/><r/>"}, std::string{"{\"a\":1}"}, nul}) {
    pugi::xml_document document;
    const auto root = parse_xml(document, xml);
    ASSERT_FALSE(root) << xml;
    EXPECT_EQ(root.error().kind(), ErrorKind::corrupt);
  }
}

TEST(Xml, RefusesDocumentTypesSoThatNoEntityIsExpanded) {
  pugi::xml_document document;
  EXPECT_FALSE(parse_xml(document, "<!DOCTYPE r [<!ENTITY e \"eee\">]><r><a>&e;</a></r>"));
  EXPECT_FALSE(parse_xml(document, "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>"));
}

TEST(Xml, RefusesReferencesThatWouldCutTextShort) {
  for (const std::string reference : {"&#0;", "&#x0;", "&#x00;", "&#4294967296;", "&#x100000000;", "&#1114112;", "&#;",
                                      "&#x;", "&#-1;", "&#1", "&#"}) {
    pugi::xml_document document;
    EXPECT_FALSE(parse_xml(document, "<r><a>b" + reference + "c</a></r>")) << reference;
  }
}

TEST(Xml, RefusesMoreThanTheLimit) {
  pugi::xml_document document;
  EXPECT_TRUE(parse_xml(document, "<r>" + std::string(kXmlLimit - 7, 'x') + "</r>"));
  EXPECT_FALSE(parse_xml(document, "<r>" + std::string(kXmlLimit - 6, 'x') + "</r>"));
}

TEST(Xml, NestingCostsNoStack) {
  std::string xml;
  for (int depth = 0; depth < 500'000; ++depth) xml.append("<a>");
  pugi::xml_document document;
  EXPECT_FALSE(parse_xml(document, xml));
  for (int depth = 0; depth < 500'000; ++depth) xml.append("</a>");
  EXPECT_TRUE(parse_xml(document, xml));
}

TEST(Xml, NumbersAreDecimalDigits) {
  pugi::xml_document document;
  const auto root = parse_xml(document,
                              "<r><max>18446744073709551615</max><more>18446744073709551616</more><sign>-1</sign>"
                              "<space> 1</space><rest>1x</rest><none/></r>")
                        .value();
  EXPECT_EQ(required_number_at(root, "max").value(), 18'446'744'073'709'551'615U);
  for (const char* child : {"more", "sign", "space", "rest", "none", "absent"}) {
    EXPECT_EQ(required_number_at(root, child).error().kind(), ErrorKind::corrupt) << child;
  }
}

TEST(Xml, WhatIsWrittenIsReadBack) {
  pugi::xml_document written;
  const std::string text = "<&>\"' ]]> \u20ac \xff";
  append_text(written.append_child("r"), "a", text);
  EXPECT_EQ(text_of_a(to_text(written)), text);
}

}  // namespace
}  // namespace cherax::storage::s3
