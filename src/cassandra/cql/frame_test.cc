#include "cassandra/cql/frame.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "cassandra/cql/recorded_for_tests.h"

namespace cherax::cassandra::cql {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

Result<Response> parse(ByteView frame) {
  const auto header = parse_header(frame.first(std::min(frame.size(), kHeaderSize)));
  if (!header) return header.error();
  return parse_response(*header, frame.subspan(kHeaderSize));
}

/// A frame of the given opcode around `body`.
Bytes frame_of(std::uint8_t opcode, const Bytes& body, std::uint8_t flags = 0) {
  Bytes frame{std::byte{0x84}, std::byte{flags}, std::byte{0}, std::byte{7}, std::byte{opcode}};
  for (int shift : {24, 16, 8, 0}) frame.push_back(static_cast<std::byte>(body.size() >> shift));
  frame.insert(frame.end(), body.begin(), body.end());
  return frame;
}

Bytes error_body(std::uint32_t code, std::string_view message) {
  Bytes body;
  for (int shift : {24, 16, 8, 0}) body.push_back(static_cast<std::byte>(code >> shift));
  body.push_back(std::byte{0});
  body.push_back(static_cast<std::byte>(message.size()));
  for (char c : message) body.push_back(static_cast<std::byte>(c));
  return body;
}

ErrorKind kind_for(std::uint32_t code, std::string_view message = "words") {
  return std::get<ServerError>(parse(frame_of(0, error_body(code, message))).value().message).to_error().kind();
}

// --- requests, against the layout of the specification
// ----------------------------------------------------------------

TEST(Frame, StartupAsksForCqlVersion3) {
  EXPECT_EQ(to_hex(encode_startup(3)),
            "0400000301"
            "00000016"
            "0001"
            "000b"
            "43514c5f56455253494f4e"
            "0005"
            "332e302e30");
}

TEST(Frame, OptionsHaveNoBody) { EXPECT_EQ(to_hex(encode_options(0)), "040000000500000000"); }

TEST(Frame, PlainCredentialsHaveTheirZeroBytes) {
  EXPECT_EQ(to_hex(encode_plain_auth_response(0, "me", "pw")),
            "040000000f"
            "0000000a"
            "00000006"
            "006d65007077");
}

TEST(Frame, QueryWithoutPagingHasNoFlags) {
  EXPECT_EQ(to_hex(encode_query(1, "USE x", Consistency::one)),
            "0400000107"
            "0000000c"
            "00000005"
            "5553452078"
            "0001"
            "00");
}

TEST(Frame, QueryWithPageSizeAndState) {
  EXPECT_EQ(to_hex(encode_query(1, "q", Consistency::local_quorum, {500, hex("abcd")})),
            "0400000107"
            "00000012"
            "00000001"
            "71"
            "0006"
            "0c"
            "000001f4"
            "00000002"
            "abcd");
}

// --- answers of a real server
// -------------------------------------------------------------------------------------------

TEST(Frame, ReadsTheLogin) {
  EXPECT_EQ(recorded<Authenticate>("authenticate").authenticator, "org.apache.cassandra.auth.PasswordAuthenticator");
  EXPECT_TRUE(std::holds_alternative<AuthSuccess>(recorded_response("auth_success").message));
  const auto supported = recorded<Supported>("supported").options;
  EXPECT_EQ(supported.at("CQL_VERSION"), std::vector<std::string>{"3.4.7"});
  EXPECT_EQ(supported.at("COMPRESSION").size(), 2u);
}

TEST(Frame, ReadsErrorsInCassandrasWords) {
  const auto error = [](const std::string& name) { return recorded<ServerError>(name).to_error(); };
  EXPECT_EQ(error("error_credentials").kind(), ErrorKind::denied);
  EXPECT_NE(error("error_credentials").message().find("Provided username cassandra and/or password are incorrect"),
            std::string::npos);
  EXPECT_EQ(error("error_unauthorized").kind(), ErrorKind::denied);
  EXPECT_EQ(error("error_syntax").kind(), ErrorKind::invalid);
  EXPECT_EQ(error("error_invalid").kind(), ErrorKind::invalid);
  EXPECT_EQ(error("error_unavailable").kind(), ErrorKind::transient);
  EXPECT_EQ(error("error_already_exists_keyspace").kind(), ErrorKind::already_exists);
  EXPECT_EQ(error("error_already_exists_table").kind(), ErrorKind::already_exists);
  EXPECT_EQ(error("error_already_exists_type").message(),
            "Cassandra answered: A user type with name 'money' already exists (code 0x2200)");
}

TEST(Frame, EveryErrorCodeHasAKind) {
  for (std::uint32_t code : {0x1000u, 0x1001u, 0x1002u, 0x1003u, 0x1100u, 0x1200u, 0x1300u, 0x1500u})
    EXPECT_EQ(kind_for(code), ErrorKind::transient) << code;
  for (std::uint32_t code : {0x0100u, 0x2100u}) EXPECT_EQ(kind_for(code), ErrorKind::denied) << code;
  for (std::uint32_t code : {0x2000u, 0x2200u, 0x2300u}) EXPECT_EQ(kind_for(code), ErrorKind::invalid) << code;
  for (std::uint32_t code : {0x0000u, 0x000Au, 0x1400u, 0x2500u, 0xFFFFFFFFu})
    EXPECT_EQ(kind_for(code), ErrorKind::internal) << code;
  EXPECT_EQ(kind_for(0x2400), ErrorKind::already_exists);
}

TEST(Frame, LoginThatCannotBeCheckedNowIsTransient) {
  EXPECT_EQ(kind_for(0x0100, "Unable to perform authentication: Cannot achieve consistency level LOCAL_QUORUM"),
            ErrorKind::transient);
  EXPECT_EQ(kind_for(0x2100, "Unable to perform authorization of permissions: Cannot achieve consistency level"),
            ErrorKind::transient);
}

TEST(Frame, ReadsResultsWithoutRows) {
  EXPECT_TRUE(std::holds_alternative<Void>(recorded_response("result_void").message));
  EXPECT_EQ(recorded<SetKeyspace>("result_set_keyspace").keyspace, "shop");
  const auto change = recorded<SchemaChange>("result_schema_change");
  EXPECT_EQ(change.change, "CREATED");
  EXPECT_EQ(change.target, "TABLE");
  EXPECT_EQ(change.keyspace, "shop");
  EXPECT_EQ(change.name, "tiny");
}

TEST(Frame, ReadsEveryColumnTypeItKnows) {
  const auto rows = recorded<Rows>("rows_types");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.columns[0].keyspace, "shop");
  EXPECT_EQ(rows.columns[0].table, "blobs");
  const Row one = rows[0];
  EXPECT_EQ(one.get<std::int32_t>("k"), 1);
  EXPECT_EQ(one.get<Bytes>("b"), hex("cafe00"));
  EXPECT_EQ(one.get<InetAddress>("i").text, "2001:db8::1");
  EXPECT_EQ(one.get<Uuid>("u").to_string(), "3536b157-006a-4218-897e-e3472a811716");
  EXPECT_EQ(format_rfc3339(one.get<Timestamp>("t")), "2026-11-23T22:40:25.123000Z");
  EXPECT_TRUE(one.get<bool>("f"));
  EXPECT_EQ(one.get<std::int64_t>("l"), -9223372036854775807);
  const Row two = rows[1];
  EXPECT_EQ(two.get<Bytes>("b"), Bytes{});
  EXPECT_EQ(two.get<InetAddress>("i").text, "10.1.2.3");
  EXPECT_FALSE(two.get<bool>("f"));
  EXPECT_EQ(two.find<Uuid>("u"), std::nullopt);
}

TEST(Frame, ReadsCollections) {
  const auto rows = recorded<Rows>("rows_collections");
  const Row row = rows[0];
  EXPECT_EQ(row.get<std::string>("customer"), "köln");
  EXPECT_EQ(row.get<Uuid>("id").to_string(), "50554d6e-29bb-11e5-b345-feff819cdc9f");
  EXPECT_EQ(row.get<std::set<std::string>>("tags"), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(row.get<std::vector<std::string>>("tags"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(row.get<std::vector<std::int32_t>>("lines"), (std::vector<std::int32_t>{3, 1, 2}));
  EXPECT_EQ((row.get<std::map<std::string, std::int32_t>>("props")),
            (std::map<std::string, std::int32_t>{{"x", 1}, {"y", -2}}));
  EXPECT_EQ(row.get_or_empty<std::string>("item"), "");
  EXPECT_EQ(to_string(rows.columns[rows.column("price")].type), "user type money");
  EXPECT_EQ(to_string(rows.columns[rows.column("props")].type), "map<text, int>");
}

TEST(Frame, WrongTypeNullAndMissingColumnAreErrorsThatNameTheColumn) {
  const auto rows = recorded<Rows>("rows_types");
  for (const auto& use :
       std::vector<std::function<void()>>{[&] { rows[0].get<std::int64_t>("k"); }, [&] { rows[1].get<Uuid>("u"); },
                                          [&] { rows[0].find<std::string>("nothing"); }}) {
    try {
      use();
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      EXPECT_NE(error.message().find("column"), std::string::npos) << error.message();
    }
  }
}

TEST(Frame, ReadsWarningsAndPagingState) {
  const auto response = recorded_response("rows_warning");
  ASSERT_EQ(response.warnings.size(), 1u);
  EXPECT_EQ(response.warnings[0], "Aggregation query used without partition key");
  const auto page = recorded<Rows>("rows_page");
  EXPECT_EQ(page.size(), 1u);
  EXPECT_TRUE(page.paging_state);
}

// --- hostile bytes
// ------------------------------------------------------------------------------------------------------

TEST(Frame, HeaderOfSomethingElseSaysWhatCame) {
  const auto http = parse_header(as_bytes("HTTP/1.1 "));
  EXPECT_EQ(http.error().kind(), ErrorKind::corrupt);
  EXPECT_NE(http.error().message().find("0x48"), std::string::npos);
  EXPECT_FALSE(parse_header(as_bytes("\x84")));
}

TEST(Frame, BodyLongerThanAllowedIsRefusedByItsHeader) {
  EXPECT_TRUE(parse_header(hex("840000070810000000")));
  EXPECT_EQ(parse_header(hex("840000070810000001")).error().kind(), ErrorKind::corrupt);
  EXPECT_FALSE(parse_header(hex("8400000708ffffffff")));
  EXPECT_FALSE(parse_header(hex("840000070800000011"), 16));
}

TEST(Frame, CountsThatCannotBeTrueAreRefusedBeforeAnythingIsAllocated) {
  // Rows, no flags, one int column, and 2^31-1 rows of it in four bytes.
  const Bytes one_column =
      hex("00000002"
          "00000001"
          "00000001"
          "000161"
          "000162"
          "000163"
          "0009"
          "7fffffff"
          "00000000");
  EXPECT_EQ(parse(frame_of(8, one_column)).error().kind(), ErrorKind::corrupt);
  // Rows of no columns.
  EXPECT_FALSE(parse(frame_of(8, hex("00000002"
                                     "00000001"
                                     "00000000"
                                     "000161"
                                     "000162"
                                     "7fffffff"))));
  // 2^31-1 columns.
  EXPECT_FALSE(parse(frame_of(8, hex("00000002"
                                     "00000001"
                                     "7fffffff"
                                     "000161"
                                     "000162"))));
}

TEST(Frame, TypeNestedWithoutEndIsRefused) {
  Bytes body =
      hex("00000002"
          "00000001"
          "00000001"
          "000161"
          "000162"
          "000163");
  for (int i = 0; i < 100'000; ++i) {
    body.push_back(std::byte{0x00});
    body.push_back(std::byte{0x20});
  }
  EXPECT_EQ(parse(frame_of(8, body)).error().kind(), ErrorKind::corrupt);
}

TEST(Frame, CollectionWithAFalseCountIsCorrupt) {
  const Type list{TypeId::list, "", {{TypeId::int_, "", {}}}};
  EXPECT_EQ(decode<std::vector<std::int32_t>>(list, hex("7fffffff")).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(decode<std::vector<std::int32_t>>(list, hex("ffffffff")).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(decode<std::vector<std::int32_t>>(list, hex("00000001"
                                                        "ffffffff"))
                .error()
                .kind(),
            ErrorKind::corrupt);
  EXPECT_EQ(decode<std::vector<std::int32_t>>(list, hex("00000001"
                                                        "00000004"
                                                        "0000002a"
                                                        "00"))
                .error()
                .kind(),
            ErrorKind::corrupt);
  EXPECT_EQ(decode<std::vector<std::int32_t>>(list, hex("00000001"
                                                        "00000004"
                                                        "0000002a"))
                .value(),
            std::vector<std::int32_t>{42});
  EXPECT_TRUE(decode<std::vector<std::int32_t>>(list, {}).value().empty());
}

TEST(Frame, ValueOfTheWrongLengthIsCorrupt) {
  EXPECT_FALSE(decode<std::int32_t>({TypeId::int_, "", {}}, hex("00")));
  EXPECT_FALSE(decode<Uuid>({TypeId::uuid, "", {}}, hex("00")));
  EXPECT_FALSE(decode<InetAddress>({TypeId::inet, "", {}}, hex("0a0102")));
  EXPECT_FALSE(decode<bool>({TypeId::boolean, "", {}}, {}));
  EXPECT_FALSE(decode<Timestamp>({TypeId::timestamp, "", {}}, hex("7fffffffffffffff")));
}

TEST(Frame, CompressedAndUnaskedForFramesAreRefused) {
  EXPECT_FALSE(parse(frame_of(8, hex("00000001"), 0x01)));
  EXPECT_FALSE(parse(frame_of(8, hex("00000001"), 0x02)));
  EXPECT_FALSE(parse(frame_of(8, hex("00000004"))));  // a prepared statement
  EXPECT_FALSE(parse(frame_of(0x0C, {})));            // an event
  EXPECT_TRUE(parse(frame_of(8, hex("00000001"))));
}

TEST(Frame, WhatFollowsTheBodyIsIgnored) { EXPECT_TRUE(parse(frame_of(2, hex("cafe")))); }

RC_GTEST_PROP(Frame, CutAnywhereIsCorruptAndNeverMore, ()) {
  const auto name = *rc::gen::element<std::string>("rows_types", "rows_collections", "rows_local", "error_syntax",
                                                   "supported", "rows_page", "result_schema_change", "rows_warning");
  const Bytes frame = recorded_frame(name);
  const auto size = *rc::gen::inRange<std::size_t>(0, frame.size());
  const auto response = parse(ByteView{frame}.first(size));
  RC_ASSERT(!response);
  RC_ASSERT(response.error().kind() == ErrorKind::corrupt);
}

RC_GTEST_PROP(Frame, ChangedBytesGiveAnErrorOrAnAnswer, ()) {
  Bytes frame =
      recorded_frame(*rc::gen::element<std::string>("rows_types", "rows_collections", "rows_local", "supported"));
  for (int i = *rc::gen::inRange(1, 8); i > 0; --i) {
    frame[*rc::gen::inRange<std::size_t>(kHeaderSize, frame.size())] = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
  }
  const auto response = parse(frame);
  if (!response) RC_ASSERT(response.error().kind() == ErrorKind::corrupt);
}

}  // namespace
}  // namespace cherax::cassandra::cql
