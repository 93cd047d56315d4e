// longwire-fatbin: packs PTX into a fat binary, so that a program built by clang can carry it
// (-Xclang -fcuda-include-gpubinary -Xclang FILE), and looks into one.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/result.h"
#include "softcuda/fatbin/fatbin.h"

namespace {

namespace fatbin = longwire::softcuda::fatbin;
using longwire::base::Error;
using longwire::base::ErrorCode;
using longwire::base::Result;
using longwire::base::Status;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Error(ErrorCode::kNotFound, "cannot read " + path);
  return text.str();
}

Status write_file(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return Error(ErrorCode::kUnavailable, "cannot write " + path);
  return {};
}

// 80 of ".target sm_80".
Result<std::uint32_t> target_of(const std::string& path, std::string_view ptx) {
  const auto directive = ptx.find(".target");
  const auto name = ptx.find("sm_", directive);
  std::uint32_t target = 0;
  if (directive != std::string_view::npos && name != std::string_view::npos) {
    std::from_chars(ptx.data() + name + 3, ptx.data() + ptx.size(), target);
  }
  if (target == 0) return Error(ErrorCode::kInvalidArgument, path + " has no .target sm_..");
  return target;
}

Status pack(const std::vector<std::string>& paths, const std::string& output,
            fatbin::Compression compression) {
  std::vector<std::string> texts;
  std::vector<fatbin::Input> inputs;
  texts.reserve(paths.size());
  for (const auto& path : paths) {
    LW_ASSIGN(std::string text, read_file(path));
    LW_ASSIGN(const std::uint32_t target, target_of(path, text));
    texts.push_back(std::move(text));
    inputs.push_back({texts.back(), target});
  }
  LW_ASSIGN(const std::vector<std::byte> bytes, fatbin::write(inputs, compression));
  return write_file(output, bytes);
}

Status list(const std::string& path) {
  LW_ASSIGN(const std::string bytes, read_file(path));
  LW_ASSIGN(const std::vector<fatbin::Entry> entries,
            fatbin::read(std::as_bytes(std::span(bytes))));
  constexpr const char* kCompressions[] = {"", ", LZ4", ", ZSTD"};
  for (const auto& entry : entries) {
    std::printf("%s sm_%u %llu bytes%s\n", entry.kind == fatbin::Entry::Kind::kPtx ? "ptx" : "elf",
                entry.target, static_cast<unsigned long long>(entry.bytes),
                kCompressions[static_cast<int>(entry.compression)]);
  }
  return {};
}

Status extract(const std::string& path, std::uint32_t target) {
  LW_ASSIGN(const std::string bytes, read_file(path));
  LW_ASSIGN(const std::string text, fatbin::best_ptx(std::as_bytes(std::span(bytes)), target));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Packs PTX into a fat binary, and looks into one");
  app.require_subcommand(1);
  std::vector<std::string> inputs;
  std::string output;
  std::string path;
  std::uint32_t target = 90;
  auto compression = fatbin::Compression::kZstd;
  const std::map<std::string, fatbin::Compression> names = {{"none", fatbin::Compression::kNone},
                                                            {"lz4", fatbin::Compression::kLz4},
                                                            {"zstd", fatbin::Compression::kZstd}};
  auto* pack_command = app.add_subcommand("pack", "Make a fat binary of PTX files");
  pack_command->add_option("ptx", inputs, "PTX files, one for each target")->required();
  pack_command->add_option("-o,--output", output, "The fat binary")->required();
  pack_command->add_option("--compress", compression, "none, lz4 or zstd")
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case));
  auto* list_command = app.add_subcommand("list", "Say what is in a fat binary");
  list_command->add_option("file", path, "The fat binary")->required();
  auto* extract_command = app.add_subcommand("extract", "Print the best PTX for a device");
  extract_command->add_option("file", path, "The fat binary")->required();
  extract_command->add_option("--target", target, "Its compute capability: 80 for 8.0");
  CLI11_PARSE(app, argc, argv);
  const Status status = pack_command->parsed()   ? pack(inputs, output, compression)
                        : list_command->parsed() ? list(path)
                                                 : extract(path, target);
  if (status) return 0;
  std::cerr << "longwire-fatbin: " << status.error().message() << "\n";
  return 1;
}
