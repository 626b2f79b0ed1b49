#include "cassandra/sstable.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cherax::cassandra {
namespace {

constexpr const char* kId = "c70f6370e7d911f1a4d4c39e4b0bc75c";

TEST(SSTable, TableDirectories) {
  EXPECT_EQ(parse_table_directory(std::string{"orders-"} + kId), (TableDirectory{"orders", kId}));
  EXPECT_EQ(table_directory("Mixed_Case", "c70f6370-e7d9-11f1-a4d4-c39e4b0bc75c").name(),
            std::string{"Mixed_Case-"} + kId);
  const std::string id = kId;
  for (const std::string& name : {std::string{"orders"}, "-" + id, id, "orders-" + id + "0",
                                  std::string{"orders-C70F6370E7D911F1A4D4C39E4B0BC75C"}}) {
    EXPECT_EQ(parse_table_directory(name), std::nullopt) << name;
  }
}

TEST(SSTable, FilesOfEveryFormat) {
  EXPECT_EQ(parse_sstable_file("nb-1-big-Data.db"), (SSTableFile{"nb", "1", "big", "Data.db"}));
  EXPECT_EQ(parse_sstable_file("oa-12-big-Digest.crc32"), (SSTableFile{"oa", "12", "big", "Digest.crc32"}));
  EXPECT_EQ(parse_sstable_file("da-3h5r_1s58_5pz4g2kj98p3y258wu-bti-Partitions.db"),
            (SSTableFile{"da", "3h5r_1s58_5pz4g2kj98p3y258wu", "bti", "Partitions.db"}));
  EXPECT_EQ(parse_sstable_file("nb-1-big-SAI+aa+orders_idx+Meta.db")->component, "SAI+aa+orders_idx+Meta.db");
  EXPECT_EQ(parse_sstable_file("nb-1-big-Data.db")->sstable(), "nb-1-big");
  for (std::string_view name : {"manifest.json", "schema.cql", "shop-orders-ka-1-Data.db", "nb-1-big", "nb-1-big-",
                                "nb-x-big-Data.db", "nb--big-Data.db", "nb-1-small-Data.db", "nb-1-big-../../x",
                                "nb_txn_flush_6fb20650-e7de-11f1-b579-b7e09b5b5d3a.log", "NB-1-big-Data.db"}) {
    EXPECT_EQ(parse_sstable_file(name), std::nullopt) << name;
  }
}

TEST(SSTable, StorageAttachedIndexComponents) {
  EXPECT_EQ(parse_sai_component("SAI+aa+orders_idx+Meta.db"), (SaiComponent{"aa", "orders_idx", "Meta.db"}));
  EXPECT_EQ(parse_sai_component("SAI+aa+GroupComplete.db"), (SaiComponent{"aa", "", "GroupComplete.db"}));
  EXPECT_EQ(parse_sai_component("Data.db"), std::nullopt);
  EXPECT_EQ(parse_sai_component("SAI+aa"), std::nullopt);
  EXPECT_EQ(parse_sai_component("SAI++x+Meta.db"), std::nullopt);
}

TEST(SSTable, PathsBelowADataDirectory) {
  const std::string table = std::string{"shop/orders-"} + kId;
  const TableDirectory orders{"orders", kId};
  using Place = DataPath::Place;
  EXPECT_EQ(parse_data_path(table + "/nb-1-big-Data.db"),
            (DataPath{"shop", orders, Place::live, "", "", "nb-1-big-Data.db"}));
  EXPECT_EQ(parse_data_path(table + "/.orders_idx/nb-1-big-Data.db"),
            (DataPath{"shop", orders, Place::live, "", "orders_idx", "nb-1-big-Data.db"}));
  EXPECT_EQ(parse_data_path(table + "/snapshots/tag/nb-1-big-Data.db"),
            (DataPath{"shop", orders, Place::snapshot, "tag", "", "nb-1-big-Data.db"}));
  EXPECT_EQ(parse_data_path(table + "/snapshots/tag/.orders_idx/nb-1-big-Data.db"),
            (DataPath{"shop", orders, Place::snapshot, "tag", "orders_idx", "nb-1-big-Data.db"}));
  EXPECT_EQ(parse_data_path(table + "/backups/.orders_idx/x.db"),
            (DataPath{"shop", orders, Place::backups, "", "orders_idx", "x.db"}));
  for (const std::string& path : {table, std::string{"shop/orders/x.db"}, table + "/snapshots/tag",
                                  table + "/other/x.db", table + "/snapshots/tag/deep/x.db", table + "/../x.db",
                                  table + "//x.db", table + "/snapshots/../x.db", "/" + table + "/x.db"}) {
    EXPECT_EQ(parse_data_path(path), std::nullopt) << path;
  }
}

TEST(SSTable, SnapshotGlobsAreAstacusAndThoseOfHiddenDirectories) {
  EXPECT_EQ(snapshot_globs("t"),
            (std::vector<std::string>{"data/*/*/snapshots/t/*.db", "data/*/*/snapshots/t/*.txt",
                                      "data/*/*/snapshots/t/*.crc32", "data/*/*/snapshots/t/.*/*.db",
                                      "data/*/*/snapshots/t/.*/*.txt", "data/*/*/snapshots/t/.*/*.crc32"}));
}

RC_GTEST_PROP(SSTable, FileNamesRoundTrip, ()) {
  const SSTableFile file{*rc::gen::element<std::string>("nb", "oa", "da", "me"),
                         *rc::gen::element<std::string>("1", "4711", "3h5r_1s58_5pz4g2kj98p3y258wu"),
                         *rc::gen::element<std::string>("big", "bti"),
                         *rc::gen::element<std::string>("Data.db", "TOC.txt", "Digest.crc32", "SAI+aa+a_b+Meta.db")};
  RC_ASSERT(parse_sstable_file(file.sstable() + "-" + file.component) == file);
}

}  // namespace
}  // namespace cherax::cassandra
