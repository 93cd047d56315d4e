// Deconvolution microscopy on whatever device OpenCL gives: grows a synthetic cell, looks at it
// through a simulated light-sheet microscope, restores it, and says how close it came.
//
// Exit status: 0 restored; 1 no device, or it failed; 2 wrong options; 3 the picture got worse.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "deconvolve.h"
#include "metrics.h"
#include "picture.h"
#include "png_writer.h"
#include "specimen.h"

namespace microscopy {
extern const char kKernelSource[];  // kernels.cl, put here by the build

namespace {

constexpr double kBackgroundPhotons = 2.0;  // camera noise and stray light
constexpr std::size_t kWidthStep = 16;      // voxels; the kernels work on eight at once

struct Options {
  std::size_t size = 256;
  int iterations = 25;
  std::string out = "microscopy-out";
  std::string platform;
  unsigned device = 0;
  std::uint64_t seed = 7;
  bool json = false;
};

struct Report {
  std::string device, platform;
  Extent extent;
  int filaments = 0, vesicles = 0;
  Distance before, after;
  std::uint64_t fingerprint = 0;
  double start_s = 0, image_s = 0, restore_s = 0, total_s = 0;
  std::vector<std::string> files;
};

class Stopwatch {
 public:
  // Seconds since the last call.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

void show_progress(int done, int all) {
  if (isatty(STDERR_FILENO) == 0) return;
  constexpr int kWidth = 40;
  const int filled = done * kWidth / all;
  std::fprintf(stderr, "\r  restoring [%.*s%*s] %d/%d%s", filled,
               "########################################", kWidth - filled, "", done, all,
               done == all ? "\r\x1b[K" : "");
}

void write_pictures(const Options& options, const Volume& measured, const Volume& restored,
                    const Volume& truth, Report& report) {
  constexpr std::size_t kSlicePixels = 3;
  std::filesystem::create_directories(options.out);
  const std::vector<std::pair<const char*, Picture>> pictures = {
      {"before", enlarge(project(measured, kBackgroundPhotons, kSlicePixels))},
      {"after", enlarge(project(restored, 0, kSlicePixels))},
      {"truth", enlarge(project(truth, 0, kSlicePixels))}};
  std::vector<Picture> all;
  for (const auto& [name, picture] : pictures) {
    report.files.push_back((std::filesystem::path(options.out) / name).string() + ".png");
    write_png(report.files.back(), picture);
    all.push_back(picture);
  }
  report.files.push_back((std::filesystem::path(options.out) / "comparison.png").string());
  write_png(report.files.back(), beside(all));
}

Report run(const Options& options) {
  Report report;
  Stopwatch total;
  Stopwatch stage;
  report.extent = {options.size, options.size, std::max<std::size_t>(16, options.size / 8)};
  Specimen specimen = grow_cell(report.extent, options.seed);
  report.filaments = specimen.filaments;
  report.vesicles = specimen.vesicles;
  stage.lap();

  Device device(options.platform, options.device);
  report.device = device.name();
  report.platform = device.platform();
  device.build(kKernelSource);
  const Blur blur(device, report.extent, point_spread_function(Optics{}));
  report.start_s = stage.lap();

  Volume measured = form_image(device, blur, specimen.truth);
  report.image_s = stage.lap();
  count_photons(measured, kBackgroundPhotons, options.seed + 1);
  report.before = distance(measured, kBackgroundPhotons, specimen.truth);
  stage.lap();

  const auto progress = [&](int done) { show_progress(done, options.iterations); };
  const Volume restored =
      restore(device, blur, measured, {options.iterations, kBackgroundPhotons, progress});
  report.restore_s = stage.lap();
  report.after = distance(restored, 0, specimen.truth);
  report.fingerprint = fingerprint(restored);
  write_pictures(options, measured, restored, specimen.truth, report);
  report.total_s = total.lap();
  return report;
}

void print_text(const Options& options, const Report& r) {
  const Optics optics;
  std::printf("device      %s\n            %s\n", r.device.c_str(), r.platform.c_str());
  std::printf(
      "specimen    %zu x %zu x %zu voxels, %d filaments and %d vesicles (seed %" PRIu64 ")\n",
      r.extent.width, r.extent.height, r.extent.depth, r.filaments, r.vesicles, options.seed);
  std::printf("microscope  light sheet of %.1f um, NA %.1f, %.0f nm\n", optics.sheet_sigma_um,
              optics.numerical_aperture, optics.wavelength_um * 1000);
  std::printf("before      error %5.1f %%   PSNR %4.1f dB\n", 100 * r.before.nrmse,
              r.before.psnr_db);
  std::printf("after       error %5.1f %%   PSNR %4.1f dB   (%d iterations)\n", 100 * r.after.nrmse,
              r.after.psnr_db, options.iterations);
  std::printf("result      %016" PRIx64 "\n", r.fingerprint);
  std::printf("times       start %.2f s, image %.2f s, restore %.2f s, all %.2f s\n", r.start_s,
              r.image_s, r.restore_s, r.total_s);
  for (const std::string& file : r.files)
    std::printf("picture     %s\n", file.c_str());
}

void print_json(const Options& options, const Report& r) {
  char fingerprint[17];
  std::snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, r.fingerprint);
  const nlohmann::ordered_json json = {
      {"device", r.device},
      {"platform", r.platform},
      {"voxels", {r.extent.width, r.extent.height, r.extent.depth}},
      {"seed", options.seed},
      {"iterations", options.iterations},
      {"before", {{"nrmse", r.before.nrmse}, {"psnr_db", r.before.psnr_db}}},
      {"after", {{"nrmse", r.after.nrmse}, {"psnr_db", r.after.psnr_db}}},
      {"result", fingerprint},
      {"seconds",
       {{"start", r.start_s}, {"image", r.image_s}, {"restore", r.restore_s}, {"all", r.total_s}}},
      {"pictures", r.files}};
  std::printf("%s\n", json.dump(2).c_str());
}

}  // namespace
}  // namespace microscopy

int main(int argc, char** argv) {
  using namespace microscopy;
  Options options;
  CLI::App app("Restores a synthetic fluorescence-microscope image stack with OpenCL.");
  app.add_option("--size", options.size, "width and height in voxels, a multiple of 16")
      ->check(CLI::Range(32, 1024))
      ->capture_default_str();
  app.add_option("--iterations", options.iterations, "Richardson-Lucy steps")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--out", options.out, "folder for the pictures")->capture_default_str();
  app.add_option("--platform", options.platform, "part of the OpenCL platform's name");
  app.add_option("--device", options.device, "which of the devices")->capture_default_str();
  app.add_option("--seed", options.seed, "another seed is another cell")->capture_default_str();
  app.add_flag("--json", options.json, "print one JSON object");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.size % kWidthStep != 0) {
    std::fprintf(stderr, "microscopy: --size must be a multiple of %zu\n", kWidthStep);
    return 2;
  }
  try {
    const Report report = run(options);
    options.json ? print_json(options, report) : print_text(options, report);
    return report.after.nrmse < report.before.nrmse ? 0 : 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "microscopy: %s\n", error.what());
    return 1;
  }
}
