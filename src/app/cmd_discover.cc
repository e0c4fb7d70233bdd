// SPDX-License-Identifier: Apache-2.0
// discover SOURCE|FILE: proposes the YAML of a source and its tables from what it says.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "app/command.h"
#include "app/output.h"
#include "app/postgres_proposal.h"
#include "app/report.h"
#include "app/warehouse.h"
#include "app/warehouse_template.h"
#include "contract/finding.h"
#include "discover/proposal_yaml.h"
#include "discover/streams.h"
#include "ingest/tap_process.h"
#include "io/files.h"
#include "io/signals.h"

namespace nano::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using contract::Source;

struct Discovered {
  discover::ProposedSource source;
  discover::Proposal proposal;
};

/// The warehouse in the folder, if there is one.
Result<std::optional<Warehouse>> WarehouseIfAny(const fs::path& folder) {
  auto warehouse = FindWarehouse(folder);
  if (!warehouse && warehouse.error().code == Code::kNotFound) return std::optional<Warehouse>();
  if (!warehouse) return tl::make_unexpected(std::move(warehouse).error());
  return std::optional<Warehouse>(*std::move(warehouse));
}

/// `changes`, of `captures/changes.2026.jsonl`; another one where the warehouse has that already.
std::string SourceName(const fs::path& file, const std::optional<Warehouse>& warehouse) {
  std::string stem = file.filename().string();
  stem = stem.substr(0, stem.find('.'));
  std::string name;
  for (const char c : stem) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte)) name += static_cast<char>(std::tolower(byte));
    else if (!name.empty() && name.back() != '_') name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) name = "s_" + name;
  std::string out = name;
  for (int n = 2; warehouse && warehouse->contract->source(out); ++n) out = fmt::format("{}_{}", name, n);
  return out;
}

/// The path as the warehouse's files would have it: from its folder, where it lies in there.
std::string PathFrom(const fs::path& folder, const fs::path& file) {
  std::error_code error;
  const fs::path absolute = fs::weakly_canonical(fs::absolute(file), error), base = fs::weakly_canonical(fs::absolute(folder), error);
  const fs::path relative = absolute.lexically_relative(base);
  return relative.empty() || *relative.begin() == ".." ? absolute.string() : relative.string();
}

Result<discover::Seen> SeeSource(const Source& source, const Invocation& invocation) {
  switch (source.kind) {
    case Source::Kind::kSingerTap: {
      if (source.tap.catalog) {
        ASSIGN(const std::string text, io::ReadFile(invocation.folder / *source.tap.catalog));
        return discover::ReadSingerCatalog(text);
      }
      ASSIGN(const std::string text, ingest::DiscoverTap(source, invocation.folder, nullptr));
      return discover::ReadSingerCatalog(text);
    }
    case Source::Kind::kSingerFile:
    case Source::Kind::kDebeziumFile:
      if (source.file == "-")
        return WithHint(Fail(Code::kInvalid, "source \"{}\" reads standard input, of which nothing is kept", source.name), "Discover a file of the same messages.");
      return source.kind == Source::Kind::kSingerFile ? discover::ReadSingerStream(invocation.folder / source.file)
                                                      : discover::ReadDebeziumStream(invocation.folder / source.file);
    case Source::Kind::kPostgres: {
      ASSIGN(const Secret url, source.postgres.url.Resolve());
      ASSIGN(auto database, SeePostgres(url, source.postgres));
      return std::move(database.seen);
    }
    case Source::Kind::kDebeziumHttp:
      return WithHint(Fail(Code::kInvalid, "source \"{}\" is posted to: it can't be asked what it has", source.name),
                      "Discover a file of messages as they are posted, one a line.");
    case Source::Kind::kUnsupported: break;
  }
  return Fail(Code::kUnsupported, "source \"{}\" can't be discovered: `{}` is not supported yet", source.name, source.unsupported);
}

discover::ProposedSource SourceOf(const fs::path& file, const discover::Seen& seen, const Invocation& invocation, const std::optional<Warehouse>& warehouse) {
  discover::ProposedSource out;
  out.name = SourceName(file, warehouse);
  const std::string path = discover::YamlText(PathFrom(invocation.folder, file));
  if (!seen.catalog) {
    out.definition = fmt::format("{}: {{file: {}}}", seen.kind == discover::StreamKind::kSinger ? "singer" : "debezium", path);
    return out;
  }
  const std::string stem = file.filename().string().substr(0, file.filename().string().find('.'));
  out.definition = fmt::format("singer: {{tap: {}, catalog: {}}}", discover::YamlText(stem.starts_with("tap-") ? stem : "tap-" + stem), path);
  out.note = "the program of the tap, and its config, are for you to fill in";
  return out;
}

Result<Discovered> Discover(const Invocation& invocation, const std::string& what) {
  ASSIGN(const auto warehouse, WarehouseIfAny(invocation.folder));
  const Source* declared = warehouse ? warehouse->contract->source(what) : nullptr;
  std::error_code error;
  const bool database = !declared && IsPostgresUrl(what);
  if (!declared && !database && !fs::is_regular_file(what, error)) {
    std::vector<std::string> names;
    if (warehouse)
      for (const auto& source : warehouse->contract->sources) names.push_back(source.name);
    const std::string near = contract::Nearest(what, names);
    return WithHint(Fail(Code::kNotFound, "there is no source and no file \"{}\"", what),
                    near.empty() ? "Name a source of the warehouse, or a file of what a source says." : fmt::format("Did you mean `{}`?", near));
  }
  Discovered out;
  discover::Seen seen;
  if (database) {
    ASSIGN(auto found, SeePostgres(Secret(what), {}));
    out.source = PostgresSourceOf(SourceName(found.name, warehouse));
    seen = std::move(found.seen);
  } else {
    ASSIGN(seen, declared ? SeeSource(*declared, invocation) : discover::ReadStreamFile(what));
    if (declared) out.source.name = declared->name;
    else out.source = SourceOf(what, seen, invocation, warehouse);
  }
  std::set<std::string> taken;
  std::size_t known = 0;
  if (warehouse)
    for (const auto& table : warehouse->contract->tables) {
      taken.insert(table.name);
      for (const auto& feed : table.sources)
        if (declared && feed.source == declared->name)
          known += std::erase_if(seen.streams, [&](const auto& stream) { return stream.name == feed.stream; });
    }
  out.proposal = discover::Propose(seen.streams, taken);
  out.proposal.notes.insert(out.proposal.notes.begin(), seen.notes.begin(), seen.notes.end());
  if (known > 0) out.proposal.notes.push_back(fmt::format("{} streams have tables already", known));
  return out;
}

/// The files that --write makes: nothing that is there is touched.
std::vector<TemplateFile> FilesOf(const Invocation& invocation, const Discovered& discovered, const std::string& mark) {
  std::vector<TemplateFile> files;
  std::error_code error;
  if (!fs::exists(invocation.folder / "nanohouse.yaml", error))
    files.push_back({"nanohouse.yaml", fmt::format("nanohouse: 1\nwarehouse: {}\nversion: 1.0.0\n", discover::YamlText(WarehouseName(invocation.folder)))});
  if (!discovered.source.definition.empty()) files.push_back({"sources/" + discovered.source.name + ".yaml", mark + SourcesYaml(discovered.source)});
  files.push_back({"tables/" + discovered.source.name + ".yaml", mark + TablesYaml(discovered.source, discovered.proposal)});
  return files;
}

Status WriteFiles(const Invocation& invocation, const std::vector<TemplateFile>& files) {
  std::error_code error;
  for (const auto& file : files)
    if (fs::exists(invocation.folder / file.path, error))
      return WithHint(Fail(Code::kExists, "file \"{}\" is there already", (invocation.folder / file.path).lexically_normal().string()),
                      "discover writes over nothing: move the file away, or take what you need from what is printed without --write.");
  return WriteTemplate(invocation.folder, files);
}

Json AsJson(const Discovered& discovered, const std::vector<TemplateFile>& written) {
  const auto& source = discovered.source;
  Json out{{"source", {{"name", source.name}, {"declared", source.definition.empty()}, {"definition", source.definition.empty() ? Json() : Json(source.definition)}}},
           {"tables", Json::array()}, {"notes", discovered.proposal.notes}, {"files", Json::array()}};
  for (const auto& table : discovered.proposal.tables) {
    Json columns = Json::array();
    for (const auto& column : table.columns)
      columns.push_back({{"name", column.name}, {"field", column.field}, {"data_type", ToString(column.type)},
                         {"description", column.description.empty() ? Json() : Json(column.description)}, {"note", column.note.empty() ? Json() : Json(column.note)}});
    out["tables"].push_back({{"name", table.name}, {"stream", table.stream}, {"description", table.description.empty() ? Json() : Json(table.description)},
                             {"primary_key", table.key}, {"columns", columns}, {"records", table.records}, {"notes", table.notes}});
  }
  for (const auto& file : written) out["files"].push_back(file.path.string());
  return out;
}

Status Run(const Invocation& invocation, const std::string& what, bool write) {
  ASSIGN(const Discovered discovered, Discover(invocation, what));
  const std::string named = IsPostgresUrl(what) ? discovered.source.name : fs::path(what).filename().string();   // a URL may hold a password
  const std::string mark = fmt::format("# Proposed by `nanohouse discover {}`. Change what you know better.\n", named);
  const auto files = FilesOf(invocation, discovered, mark);
  if (write) TRY(WriteFiles(invocation, files));
  Output output;
  if (invocation.json) {
    TRY(output.Write(AsJson(discovered, write ? files : std::vector<TemplateFile>{}).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
  } else if (!write) {
    TRY(output.Write(mark + SourcesYaml(discovered.source) + TablesYaml(discovered.source, discovered.proposal)));
  } else if (!invocation.quiet) {
    for (const auto& file : files) TRY(output.Write(fmt::format("wrote {}\n", (invocation.folder / file.path).lexically_normal().string())));
    for (const auto& note : discovered.proposal.notes) TRY(output.Write("note: " + note + "\n"));
    TRY(output.Write("next: read them, then `nanohouse check` and `nanohouse ingest`\n"));
  }
  return output.Finish();
}

}  // namespace

void AddDiscover(CommandLine& line) {
  const auto what = std::make_shared<std::string>();
  const auto write = std::make_shared<bool>(false);
  CLI::App& verb = AddVerb(line, line.program, "discover", "Propose sources and tables from what a source says",
                           {"nanohouse discover changes.jsonl            # Debezium's messages, a Singer stream, a tap's catalog",
                            "nanohouse discover marketing --write        # a source of the warehouse; a tap is run with --discover",
                            "nanohouse discover \"$SHOP_DB_URL\" --write   # a PostgreSQL database",
                            "mkdir shop && cd shop && nanohouse discover ../changes.jsonl --write && nanohouse ingest"},
                           [what, write](const Invocation& invocation) {
    io::CatchStopSignals();
    const auto done = Run(invocation, *what, *write);
    return done ? Exit::kDone : Report(invocation, done.error());
  });
  verb.add_option("what", *what, "A source of the warehouse, a file, or a PostgreSQL URL")->type_name("SOURCE|FILE")->required();
  verb.add_flag("--write", *write, "Write new files into the warehouse's folder, over none that is there");
}

}  // namespace nano::app
