#include "deconvolve.h"

#include <algorithm>
#include <numeric>

namespace microscopy {
namespace {

constexpr std::size_t kLanes = 8;       // LANES of kernels.cl
constexpr std::size_t kGroups = 64;     // work-groups of the kernel `improve`
constexpr std::size_t kGroupSize = 64;  // and work-items of each
constexpr float kMaxMomentum = 0.98F;

float mean_of(const Volume& volume) {
  const double sum = std::accumulate(volume.values.begin(), volume.values.end(), 0.0);
  return static_cast<float>(sum / static_cast<double>(volume.values.size()));
}

// The state of one restoration on the device.
class Estimate {
 public:
  Estimate(const Device& device, const Blur& blur, const Volume& measured, float background);
  void iterate();
  void read(std::vector<float>& to) const { device_.read(x_, to); }

 private:
  void choose_momentum();

  const Device& device_;
  const Blur& blur_;
  std::size_t count_;
  float background_;
  float momentum_ = 0;
  Kernel predict_, compare_, improve_;
  Buffer measured_, weight_;  // weight: how much of each voxel's light the camera sees at all
  Buffer x_, before_, ahead_, seen_, correction_, step_, partial_;
};

Estimate::Estimate(const Device& device, const Blur& blur, const Volume& measured, float background)
    : device_(device),
      blur_(blur),
      count_(measured.values.size()),
      background_(background),
      predict_(device.kernel("predict")),
      compare_(device.kernel("compare")),
      improve_(device.kernel("improve")),
      measured_(device.buffer(count_)),
      weight_(device.buffer(count_)),
      x_(device.buffer(count_)),
      before_(device.buffer(count_)),
      ahead_(device.buffer(count_)),
      seen_(device.buffer(count_)),
      correction_(device.buffer(count_)),
      step_(device.buffer(count_)),
      partial_(device.buffer(2 * kGroups)) {
  device_.write(measured_, measured.values);
  device_.fill(seen_, 1.0F, count_);
  blur_.apply(seen_, weight_);
  const float start = std::max(1e-3F, mean_of(measured) - background_);
  device_.fill(x_, start, count_);
  device_.fill(before_, start, count_);
  device_.fill(step_, 0.0F, count_);
}

void Estimate::iterate() {
  device_.launch(predict_, {count_}, {}, x_, before_, ahead_, momentum_);
  blur_.apply(ahead_, seen_);
  device_.launch(compare_, {count_}, {}, measured_, seen_, background_);
  blur_.apply(seen_, correction_);
  device_.launch(improve_, {kGroups * kGroupSize}, {kGroupSize}, x_, before_, ahead_, correction_,
                 weight_, step_, partial_, static_cast<cl_int>(count_),
                 Local{2 * kGroupSize * sizeof(float)});
  choose_momentum();
}

void Estimate::choose_momentum() {
  std::vector<float> partial(2 * kGroups);
  device_.read(partial_, partial);
  double across = 0;
  double square = 0;
  for (std::size_t group = 0; group < kGroups; ++group) {
    across += partial[2 * group];
    square += partial[2 * group + 1];
  }
  const double momentum = square > 0 ? across / square : 0.0;
  momentum_ = std::clamp(static_cast<float>(momentum), 0.0F, kMaxMomentum);
}

}  // namespace

Blur::Blur(const Device& device, Extent extent, const std::vector<Term>& psf)
    : device_(device),
      extent_(extent),
      x_(device.kernel("convolve_x")),
      y_(device.kernel("convolve_y")),
      z_(device.kernel("convolve_z")),
      along_x_(device.buffer(extent.voxels())),
      along_y_(device.buffer(extent.voxels())) {
  for (const Term& term : psf) {
    terms_.push_back({device.constants(term.lateral.weights), device.constants(term.axial.weights),
                      term.lateral.radius, term.axial.radius});
  }
}

void Blur::apply(const Buffer& in, const Buffer& out) const {
  const std::vector<std::size_t> global = {extent_.width / kLanes, extent_.height, extent_.depth};
  const std::vector<std::size_t> row = {extent_.width / kLanes, 1, 1};
  cl_int accumulate = 0;
  for (const DeviceTerm& term : terms_) {
    const std::size_t padded = extent_.width + 2 * static_cast<std::size_t>(term.lateral_radius);
    device_.launch(x_, global, row, in, along_x_, term.lateral, term.lateral_radius,
                   Local{padded * sizeof(float)});
    device_.launch(y_, global, row, along_x_, along_y_, term.lateral, term.lateral_radius);
    device_.launch(z_, global, row, along_y_, out, term.axial, term.axial_radius, accumulate);
    accumulate = 1;
  }
}

Volume form_image(const Device& device, const Blur& blur, const Volume& truth) {
  const std::size_t count = truth.values.size();
  const Buffer sharp = device.buffer(count);
  const Buffer blurred = device.buffer(count);
  device.write(sharp, truth.values);
  blur.apply(sharp, blurred);
  Volume image(truth.extent);
  device.read(blurred, image.values);
  return image;
}

Volume restore(const Device& device, const Blur& blur, const Volume& measured,
               const Restoration& how) {
  Estimate estimate(device, blur, measured, static_cast<float>(how.background));
  for (int i = 0; i < how.iterations; ++i) {
    estimate.iterate();
    if (how.progress) how.progress(i + 1);
  }
  Volume restored(measured.extent);
  estimate.read(restored.values);
  return restored;
}

}  // namespace microscopy
