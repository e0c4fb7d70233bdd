// SPDX-License-Identifier: Apache-2.0
// Who reads the warehouse, and how: doors, policies, roles, alerts, exposures.
#include "contract/declare.h"

namespace nano::contract {
namespace {

const Object& PostgresServer() {
  static const Object object{.name = "serve.postgres",
                             .where = "`serve.postgres`",
                             .doc = "The PostgreSQL door.",
                             .keys = {{.name = "listen",
                                       .shape = Text(Format::kListen),
                                       .required = true,
                                       .doc = "Address and port.",
                                       .example = "127.0.0.1:5439",
                                       .support = Support::kLater}}};
  return object;
}

const Object& HttpServer() {
  static const Object object{.name = "serve.http",
                             .where = "`serve.http`",
                             .doc = "The HTTP door of `run`: health, readiness, metrics.",
                             .keys = {{.name = "listen",
                                       .shape = Text(Format::kListen),
                                       .required = true,
                                       .doc = "Address and port. Off loopback it needs a `token`.",
                                       .example = "127.0.0.1:8080"},
                                      {.name = "token",
                                       .shape = Referring(Format::kAny),
                                       .doc = "What clients must send: `Authorization: Bearer <token>`. `/healthz` needs none.",
                                       .example = "\"${env:NANOHOUSE_TOKEN}\"",
                                       .mistaken = {"bearer", "password"}}}};
  return object;
}

const Object& Oidc() {
  static const Object object{.name = "serve.auth.oidc",
                             .where = "`serve.auth.oidc`",
                             .doc = "An OpenID Connect provider.",
                             .keys = {{.name = "issuer",
                                       .shape = Referring(),
                                       .required = true,
                                       .doc = "The provider's URL.",
                                       .example = "https://id.example.com",
                                       .support = Support::kLater},
                                      {.name = "audience",
                                       .shape = Text(Format::kLabel),
                                       .required = true,
                                       .doc = "For whom its tokens must be.",
                                       .example = "shop",
                                       .support = Support::kLater}}};
  return object;
}

const Object& Auth() {
  static const Object object{.name = "serve.auth",
                             .where = "`serve.auth`",
                             .doc = "How users prove who they are.",
                             .keys = {{.name = "oidc",
                                       .shape = In(Oidc()),
                                       .doc = "An OpenID Connect provider.",
                                       .example = "{issuer: \"https://id.example.com\", audience: shop}",
                                       .support = Support::kLater}}};
  return object;
}

const Object& Members() {
  static const Object object{.name = "role.members",
                             .where = "`members` of a role",
                             .doc = "Who has the role.",
                             .keys = {{.name = "groups",
                                       .shape = List(Text(Format::kLabel)),
                                       .doc = "Groups of the identity provider.",
                                       .example = "[\"idp:sales-analysts\"]",
                                       .support = Support::kLater},
                                      {.name = "users",
                                       .shape = List(Text(Format::kLabel)),
                                       .doc = "Users.",
                                       .example = "[grafana]",
                                       .support = Support::kLater}}};
  return object;
}

}  // namespace

const Object& ServeKeys() {
  static const Object object{.name = "serve",
                             .where = "`serve`",
                             .doc = "The doors through which the warehouse is read.",
                             .keys = {{.name = "postgres",
                                       .shape = In(PostgresServer()),
                                       .doc = "The PostgreSQL door.",
                                       .example = "{listen: \"127.0.0.1:5439\"}",
                                       .support = Support::kLater},
                                      {.name = "http",
                                       .shape = In(HttpServer()),
                                       .doc = "The HTTP door of `run`: health, readiness, metrics.",
                                       .example = "{listen: \"127.0.0.1:8080\"}"},
                                      {.name = "auth",
                                       .shape = In(Auth()),
                                       .doc = "How users prove who they are.",
                                       .example = "{oidc: {issuer: \"https://id.example.com\", audience: shop}}",
                                       .support = Support::kLater}}};
  return object;
}

const Object& TableServeKeys() {
  static const Object object{
      .name = "table.serve",
      .where = "`serve` of a table or model",
      .doc = "How it is served.",
      .keys = {{.name = "doors",
                .shape = List(
                    Words({{"postgres", "", Support::kLater}, {"http", "", Support::kLater}, {"iceberg", "", Support::kLater}})),
                .doc = "Through which doors.",
                .example = "[postgres, http]",
                .support = Support::kLater},
               {.name = "endpoint",
                .shape = Text(Format::kHttpPath),
                .doc = "Its path in the HTTP API.",
                .example = "/orders",
                .support = Support::kLater}}};
  return object;
}

const Object& PolicyKeys() {
  static const Object object{.name = "policy",
                             .where = "a value of `policies`",
                             .doc = "How those see a column who may not see it plain.",
                             .keys = {{.name = "mask",
                                       .shape = Text(Format::kSql),
                                       .doc = "`hmac`, or SQL over `value`.",
                                       .example = "hmac",
                                       .support = Support::kLater},
                                      {.name = "deny",
                                       .shape = Boolean(),
                                       .doc = "The column is not there at all.",
                                       .example = "true",
                                       .support = Support::kLater},
                                      {.name = "key",
                                       .shape = Referring(Format::kAny),
                                       .doc = "The key of the HMAC: a reference.",
                                       .example = "\"${file:/run/secrets/pii}\"",
                                       .support = Support::kLater},
                                      {.name = "key_version",
                                       .shape = Integer(0, 1'000'000),
                                       .doc = "The key's number.",
                                       .example = "1",
                                       .support = Support::kLater},
                                      {.name = "join_domain",
                                       .shape = Text(Format::kLabel),
                                       .doc = "Columns of one domain have equal masks for equal values.",
                                       .example = "email",
                                       .support = Support::kLater}},
                             .one_of = {"mask", "deny"}};
  return object;
}

const Object& RoleKeys() {
  static const Object object{.name = "role",
                             .where = "an item of `roles`",
                             .doc = "Who may see and do what.",
                             .keys = {{.name = "name",
                                       .shape = Text(Format::kWarehouseName),
                                       .required = true,
                                       .doc = "Its name.",
                                       .example = "analyst",
                                       .support = Support::kLater},
                                      {.name = "members",
                                       .shape = In(Members()),
                                       .doc = "Who has the role.",
                                       .example = "{groups: [\"idp:sales-analysts\"], users: [grafana]}",
                                       .support = Support::kLater},
                                      {.name = "read",
                                       .shape = List(Text(Format::kLabel)),
                                       .doc = "Tables and models, `*` for any.",
                                       .example = "[orders, \"models.*\"]",
                                       .support = Support::kLater},
                                      {.name = "read_files",
                                       .shape = List(Text(Format::kLabel)),
                                       .doc = "Tables whose files may be read, through Iceberg.",
                                       .example = "[orders]",
                                       .support = Support::kLater},
                                      {.name = "read_journal",
                                       .shape = List(Text(Format::kLabel)),
                                       .doc = "Sources whose journal may be read.",
                                       .example = "[shop_cdc]",
                                       .support = Support::kLater},
                                      {.name = "rows",
                                       .shape = Map(Format::kName, Text(Format::kSql)),
                                       .doc = "By table, a condition: the rows that are seen.",
                                       .example = "{orders: \"status IS DISTINCT FROM 'returned'\"}",
                                       .support = Support::kLater},
                                      {.name = "unmask",
                                       .shape = List(Text(Format::kLabel)),
                                       .doc = "What is seen plain: a tag, a classification or `table.column`.",
                                       .example = "[pii]",
                                       .support = Support::kLater},
                                      {.name = "run",
                                       .shape = List(Text(Format::kLabel)),
                                       .doc = "Sources that may be started.",
                                       .example = "[marketing]",
                                       .support = Support::kLater},
                                      {.name = "manage",
                                       .shape = Boolean(),
                                       .fallback = "false",
                                       .doc = "Whether the warehouse may be changed.",
                                       .example = "true",
                                       .support = Support::kLater},
                                      DescriptionKey("Who looks at sales.")}};
  return object;
}

const Object& AlertKeys() {
  static const Object object{.name = "alert",
                             .where = "an item of `alerts`",
                             .doc = "Whom to tell of what.",
                             .keys = {{.name = "webhook",
                                       .shape = Referring(),
                                       .required = true,
                                       .doc = "Where to post.",
                                       .example = "\"${env:ALERT_URL}\"",
                                       .support = Support::kLater},
                                      {.name = "on",
                                       .shape = List(Words({{"freshness", "", Support::kLater},
                                                            {"quarantine", "", Support::kLater},
                                                            {"slot", "", Support::kLater},
                                                            {"test", "", Support::kLater},
                                                            {"volume", "", Support::kLater}})),
                                       .fallback = "everything",
                                       .doc = "What is told.",
                                       .example = "[freshness, quarantine]",
                                       .support = Support::kLater}}};
  return object;
}

const Object& ExposureKeys() {
  static const Object object{
      .name = "exposure",
      .where = "an item of `exposures`",
      .doc = "A reader of the warehouse, as in dbt: who must be told before something breaks.",
      .keys = {{.name = "name",
                .shape = Text(Format::kLabel),
                .required = true,
                .doc = "Its name.",
                .example = "weekly_sales",
                .support = Support::kNoted},
               {.name = "type",
                .shape = Words({{"dashboard", "", Support::kNoted},
                                {"notebook", "", Support::kNoted},
                                {"analysis", "", Support::kNoted},
                                {"ml", "", Support::kNoted},
                                {"application", "", Support::kNoted}}),
                .doc = "What it is.",
                .example = "dashboard",
                .support = Support::kNoted},
               {.name = "depends_on",
                .shape = List(Text(Format::kName)),
                .required = true,
                .doc = "The tables and models that it reads.",
                .example = "[orders]",
                .support = Support::kNoted},
               {.name = "uses_version",
                .shape = Integer(0, 1'000'000),
                .doc = "The major version that it reads.",
                .example = "1",
                .support = Support::kNoted},
               {.name = "url",
                .shape = Text(Format::kLabel),
                .doc = "Where it is.",
                .example = "https://bi.example.com/sales",
                .support = Support::kNoted},
               {.name = "maturity",
                .shape = Words({{"high", "", Support::kNoted}, {"medium", "", Support::kNoted}, {"low", "", Support::kNoted}}),
                .doc = "How far it is relied on.",
                .example = "high",
                .support = Support::kNoted},
               DescriptionKey("The Monday report."),
               OwnerKey(),
               TagsKey()}};
  return object;
}

}  // namespace nano::contract
