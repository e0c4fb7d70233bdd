// SPDX-License-Identifier: Apache-2.0
// Where the warehouse keeps what it has: `storage` and what stands in it.
#include "contract/declare.h"

namespace nano::contract {
namespace {

const Object& FormatKeys() {
  static const Object object{.name = "storage.format",
                             .where = "`storage.format`",
                             .doc = "How the tables' files are written.",
                             .keys = {
                                 {.name = "compression",
                                  .shape = Words({{"zstd", "Small and quick to read."},
                                                  {"snappy", "Quicker to write, half as large again."},
                                                  {"gzip", "For old readers."},
                                                  {"lz4", "Quick; not every engine reads it."},
                                                  {"uncompressed", "As it is."}}),
                                  .fallback = "zstd",
                                  .doc = "The Parquet files' compression.",
                                  .example = "zstd",
                                  .mistaken = {"codec"}},
                                 {.name = "target_file_size",
                                  .shape = Text(Format::kBytes),
                                  .fallback = "128MB",
                                  .doc = "How large a table's files are to become.",
                                  .example = "128MB"},
                             }};
  return object;
}

const Object& JournalKeys() {
  static const Object object{.name = "storage.journal",
                             .where = "`storage.journal`",
                             .doc = "The durable log of what the sources said.",
                             .keys = {
                                 {.name = "keep",
                                  .shape = Text(Format::kDuration),
                                  .fallback = "everything",
                                  .doc = "How long messages stay before the base image takes their place.",
                                  .example = "7d",
                                  .mistaken = {"retention"}},
                                 {.name = "base_image",
                                  .shape = Boolean(),
                                  .fallback = "true",
                                  .doc = "Whether what is left of expired messages is kept.",
                                  .example = "true"},
                                 {.name = "commit_every",
                                  .shape = Text(Format::kDuration),
                                  .fallback = "1s",
                                  .doc = "A batch is committed after this long.",
                                  .example = "1s"},
                                 {.name = "commit_bytes",
                                  .shape = Text(Format::kBytes),
                                  .fallback = "16MB",
                                  .doc = "A batch is committed when it is this large.",
                                  .example = "16MB"},
                             }};
  return object;
}

const Object& IcebergKeys() {
  static const Object object{.name = "storage.iceberg",
                             .where = "`storage.iceberg`",
                             .doc = "Iceberg metadata for other engines.",
                             .keys = {{.name = "publish_every",
                                       .shape = Text(Format::kDuration),
                                       .fallback = "30s",
                                       .doc = "How often metadata is written while the warehouse runs.",
                                       .example = "30s"}}};
  return object;
}

}  // namespace

const Object& SnapshotKeys() {
  static const Object object{.name = "storage.snapshots",
                             .where = "`storage.snapshots`, and `snapshots` of a table",
                             .doc = "Full everyday snapshots that stay.",
                             .keys = {
                                 {.name = "daily",
                                  .shape = Text(Format::kClock),
                                  .doc = "The time of day.",
                                  .example = "\"00:00\"",
                                  .support = Support::kLater},
                                 {.name = "time_zone",
                                  .shape = Text(Format::kLabel),
                                  .fallback = "UTC",
                                  .doc = "The zone of that time.",
                                  .example = "Europe/Prague",
                                  .support = Support::kLater},
                                 {.name = "keep",
                                  .shape = Text(Format::kDuration),
                                  .doc = "How long each stays.",
                                  .example = "30d",
                                  .support = Support::kLater},
                             }};
  return object;
}

const Object& StorageKeys() {
  static const Object object{
      .name = "storage",
      .where = "`storage`",
      .doc = "Where the warehouse keeps what it has, and how.",
      .keys = {
          {.name = "root",
           .shape = Text(Format::kPath),
           .fallback = "./data",
           .doc = "The folder of tables and published metadata, from the warehouse's own, or `s3://bucket/prefix`.",
           .example = "./data",
           .mistaken = {"path", "location"}},
          {.name = "local",
           .shape = Text(Format::kPath),
           .fallback = "`root`",
           .doc = "The folder of journal, catalog and index; it must be on a real disk.",
           .example = "./data"},
          {.name = "catalog",
           .shape = Referring(Format::kCatalog),
           .fallback = "sqlite:catalog.db",
           .doc = "The lake's catalog: a SQLite file under `local`, or a PostgreSQL database, in which it has the schema `nanohouse_<warehouse>`.",
           .example = "\"postgresql://nano:${env:CATALOG_PASSWORD}@db.example.com/lakes\""},
          {.name = "format",
           .shape = In(FormatKeys()),
           .doc = "How the tables' files are written.",
           .example = "{compression: zstd, target_file_size: 128MB}"},
          {.name = "snapshots",
           .shape = In(SnapshotKeys()),
           .doc = "Full everyday snapshots that stay.",
           .example = "{daily: \"00:00\", time_zone: UTC, keep: 30d}",
           .support = Support::kLater},
          {.name = "journal",
           .shape = In(JournalKeys()),
           .doc = "The durable log of what the sources said.",
           .example = "{commit_every: 1s, commit_bytes: 16MB}"},
          {.name = "keep_free",
           .shape = Text(Format::kBytes),
           .fallback = "1GB",
           .doc = "Where one of its disks has less room than this, `run` reads no more until there is again.",
           .example = "5GB",
           .mistaken = {"min_free", "disk_floor"}},
          {.name = "grace",
           .shape = Text(Format::kDuration),
           .fallback = "10m",
           .doc = "How long files outlive their last use, and so how long a reader may hold a cut.",
           .example = "10m"},
          {.name = "iceberg",
           .shape = Either({Words({{"off", "Publish nothing."}}), In(IcebergKeys())}),
           .fallback = "{publish_every: 30s}",
           .doc = "Iceberg metadata for other engines, or `off`.",
           .example = "{publish_every: 30s}"},
      }};
  return object;
}

}  // namespace nano::contract
