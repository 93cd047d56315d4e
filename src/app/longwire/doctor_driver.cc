#include "app/longwire/doctor_driver.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "app/longwire/loader_view.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr const char* kOurVersion = "Longwire " LONGWIRE_VERSION;
constexpr const char* kRunNeedsNone = "`longwire run -- PROGRAM` works without it";

bool names_us(const std::string& text) { return text.find("longwire") != std::string::npos; }

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
    line.pop_back();
  }
  return line;
}

struct IcdFile {
  fs::path file;
  std::string library;
};

// Those of the folder that name a driver of ours.
std::vector<IcdFile> our_icd_files(const fs::path& folder) {
  std::vector<IcdFile> files;
  std::size_t seen = 0;
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end && seen < kMaxIcdFiles;
       i.increment(error), ++seen) {
    if (i->path().extension() != ".icd") continue;
    std::string library = first_line(i->path());
    if (names_us(library)) files.push_back({i->path(), std::move(library)});
  }
  std::ranges::sort(files, {}, &IcdFile::file);
  return files;
}

// What the file is built for: class and machine of its ELF header; nullopt: it is no ELF file.
std::optional<std::pair<int, int>> machine_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, sizeof(Elf64_Ehdr)> bytes{};
  if (!in.read(bytes.data(), bytes.size())) return std::nullopt;
  Elf64_Ehdr header;  // e_machine stands at the same place in both classes
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&header));
  if (!std::equal(header.e_ident, header.e_ident + SELFMAG, ELFMAG)) return std::nullopt;
  return std::pair<int, int>(header.e_ident[EI_CLASS], header.e_machine);
}

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::equivalent(a, b, error) && !error;
}

base::Deadline soon() {
  return base::Deadline::in(base::monotonic_clock(), kLoaderTimeoutMs * base::kMillisecond);
}

Finding judge_library(const IcdFile& icd, const DriverPlaces& places) {
  const std::string seen = icd.file.string() + " names " + icd.library;
  const std::string rewrite =
      "write " + places.own_driver.string() + " into " + icd.file.string() + ", or install again";
  std::error_code error;
  if (!fs::exists(icd.library, error))
    return problem("icd", seen + ", which is not there", rewrite);
  const auto machine = machine_of(icd.library);
  if (!machine) return problem("icd", seen + ", which is no library", rewrite);
  if (machine != machine_of("/proc/self/exe")) {
    return problem("icd", seen + ", which is built for another kind of machine", rewrite);
  }
  if (!same_file(icd.library, places.own_driver)) {
    return warning("icd", seen + ", which is not this installation's", rewrite);
  }
  return fine("icd", seen);
}

// What a variable of the loader leads to: a folder, a file in it, or a library.
bool leads_to_us(const fs::path& place) {
  std::error_code error;
  if (fs::is_directory(place, error)) return !our_icd_files(place).empty();
  if (place.extension() == ".icd") return names_us(first_line(place));
  return names_us(place.string());
}

std::string joined(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts)
    list += (list.empty() ? "" : ", ") + text;
  return list;
}

const PlatformFacts* our_platform(const LoaderView& view) {
  const auto found = std::ranges::find_if(view.platforms, [](const PlatformFacts& p) {
    return p.version.find("Longwire") != p.version.npos;
  });
  return found == view.platforms.end() ? nullptr : &*found;
}

Finding judge_loader(const LoaderView& view, const DriverPlaces& places) {
  if (view.drivers.empty()) {
    return problem("loader", places.loader + " does not load Longwire",
                   std::string("mend what the lines above say; ") + kRunNeedsNone);
  }
  const std::string files = joined(view.drivers);
  const PlatformFacts* const platform = our_platform(view);
  if (platform == nullptr) {
    return problem("loader", places.loader + " loads " + files + ", which offers no platform",
                   "install Longwire again");
  }
  if (!platform->version.ends_with(kOurVersion)) {
    return problem("loader",
                   files + " says '" + platform->version + "', this command is " + kOurVersion,
                   "remove the other installation, or install the same version of both");
  }
  if (view.drivers.size() > 1) {
    return warning("loader", "several drivers of ours are loaded: " + files,
                   "leave one .icd file that names a Longwire");
  }
  if (!same_file(view.drivers.front(), places.own_driver)) {
    return warning("loader", files + " is loaded, which is not this installation's",
                   "remove the other installation");
  }
  return fine("loader", places.loader + " loads " + files);
}

}  // namespace

Finding check_icd(const DriverPlaces& places) {
  const std::vector<IcdFile> files = our_icd_files(places.icd_folder);
  if (files.empty()) {
    return problem("icd", "no file in " + places.icd_folder.string() + " names Longwire's driver",
                   "write " + places.own_driver.string() + " into " +
                       (places.icd_folder / "longwire.icd").string() + "; " + kRunNeedsNone);
  }
  if (files.size() > 1) {
    return warning(
        "icd", "two drivers of ours: " + files[0].file.string() + " and " + files[1].file.string(),
        "remove the one that is not wanted");
  }
  return judge_library(files.front(), places);
}

Finding check_icd_variables(const DriverPlaces& places) {
  for (const char* name : {"OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH", "OCL_ICD_FILENAMES"}) {
    const auto value = places.variable(name);
    if (!value || value->empty() || leads_to_us(*value)) continue;
    return problem("icd-variables", std::string(name) + "=" + *value + " hides Longwire's driver",
                   std::string("unset ") + name);
  }
  return fine("icd-variables", "none hides Longwire's driver");
}

Finding check_disabled(const DriverPlaces& places) {
  const auto value = places.variable("LONGWIRE_DISABLE");
  if (!value || value->empty() || *value == "0") return fine("disabled", "no");
  return problem("disabled", "LONGWIRE_DISABLE=" + *value + ": the driver shows no devices",
                 "unset LONGWIRE_DISABLE");
}

Finding check_library(const DriverPlaces& places) {
  if (places.own_driver.empty()) {
    return problem("library", "this installation has no liblongwire_opencl.so",
                   "install the package longwire-opencl");
  }
  const auto loads = try_library(places.own_driver.string(), soon());
  if (loads) return fine("library", places.own_driver.string() + " loads here");
  return problem("library", loads.error().message(),
                 "install a Longwire that is built for this system");
}

Finding check_loader(const DriverPlaces& places) {
  const auto view = view_loader(places.loader, OurDriver::kShown, soon());
  if (view) return judge_loader(*view, places);
  if (view.error().code() == ErrorCode::kNotFound) {
    return problem("loader", view.error().message(),
                   "install an OpenCL loader: apt install ocl-icd-libopencl1");
  }
  return problem("loader", "loading this machine's OpenCL drivers: " + view.error().message(),
                 "remove the .icd files of other drivers one by one until clinfo works");
}

base::Result<std::vector<std::string>> vendor_platforms(const std::string& loader) {
  LW_ASSIGN(const LoaderView view, view_loader(loader, OurDriver::kHidden, soon()));
  std::vector<std::string> texts;
  for (const PlatformFacts& p : view.platforms) {
    if (p.devices == 0) continue;
    texts.push_back(p.name + " (" + std::to_string(p.devices) +
                    (p.devices == 1 ? " device)" : " devices)"));
  }
  return texts;
}

Findings check_driver(const DriverPlaces& places) {
  return {check_library(places), check_icd(places), check_icd_variables(places),
          check_disabled(places), check_loader(places)};
}

}  // namespace longwire::app
