#include "picture.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace microscopy {
namespace {

using Colour = std::array<double, 3>;

constexpr Colour kBackground = {0.020, 0.022, 0.035};
constexpr std::size_t kGap = 6;      // pixels
constexpr double kExposure = 0.996;  // share of pixels that are not over-exposed
constexpr double kGamma = 0.7;       // lifts the dim ones
// From far to near: violet, blue, turquoise, green-yellow, warm yellow-orange.
constexpr std::array<Colour, 5> kDepthColours = {{{0.62, 0.20, 0.95},
                                                  {0.16, 0.42, 1.00},
                                                  {0.05, 0.86, 0.80},
                                                  {0.72, 0.95, 0.25},
                                                  {1.00, 0.62, 0.15}}};

// Brightest voxel along a line of sight, and how deep it lies (0 far, 1 near).
struct Sight {
  double photons = 0;
  double depth = 0;
};

Colour depth_colour(double depth) {
  const double scaled = std::clamp(depth, 0.0, 1.0) * (kDepthColours.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(scaled), kDepthColours.size() - 2);
  const double share = scaled - static_cast<double>(low);
  Colour colour;
  for (std::size_t i = 0; i < 3; ++i) {
    colour[i] = kDepthColours[low][i] * (1 - share) + kDepthColours[low + 1][i] * share;
  }
  return colour;
}

std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 1.0) * 255));
}

// The brightest voxels turn white, as an over-exposed lamp does.
Rgb develop(const Sight& sight, double white) {
  const double light = std::pow(std::clamp(sight.photons / white, 0.0, 1.3), kGamma);
  const double glare = std::max(0.0, light - 0.72) * 0.9;
  const Colour hue = depth_colour(sight.depth);
  std::array<std::uint8_t, 3> rgb;
  for (std::size_t i = 0; i < 3; ++i) {
    rgb[i] = byte_of(kBackground[i] + (1 - kBackground[i]) * (light * hue[i] + glare));
  }
  return {rgb[0], rgb[1], rgb[2]};
}

double white_point(const std::vector<Sight>& sights) {
  std::vector<double> values;
  values.reserve(sights.size());
  for (const Sight& sight : sights)
    values.push_back(sight.photons);
  const auto nth = values.begin() + static_cast<long>(kExposure * (values.size() - 1.0));
  std::nth_element(values.begin(), nth, values.end());
  return std::max(*nth, 1e-6);
}

void keep_brightest(Sight& sight, double photons, double depth) {
  if (photons > sight.photons) sight = {photons, depth};
}

}  // namespace

Picture project(const Volume& volume, double background, std::size_t slice_pixels) {
  const Extent e = volume.extent;
  std::vector<Sight> above(e.width * e.height);
  std::vector<Sight> aside(e.width * e.depth);
  for (std::size_t z = 0; z < e.depth; ++z) {
    const double depth = static_cast<double>(z) / static_cast<double>(e.depth - 1);
    for (std::size_t y = 0; y < e.height; ++y) {
      for (std::size_t x = 0; x < e.width; ++x) {
        const double photons = volume.at(x, y, z) - background;
        keep_brightest(above[y * e.width + x], photons, depth);
        keep_brightest(aside[z * e.width + x], photons, depth);
      }
    }
  }
  const double white = white_point(above);
  Picture picture(e.width, e.height + kGap / 2 + e.depth * slice_pixels);
  for (std::size_t y = 0; y < picture.height; ++y) {
    for (std::size_t x = 0; x < e.width; ++x) {
      if (y < e.height) {
        picture.at(x, y) = develop(above[y * e.width + x], white);
      } else if (y >= e.height + kGap / 2) {
        const std::size_t z = e.depth - 1 - (y - e.height - kGap / 2) / slice_pixels;
        picture.at(x, y) = develop(aside[z * e.width + x], white);
      }
    }
  }
  return picture;
}

Picture enlarge(const Picture& picture) {
  Picture large(picture.width * 2, picture.height * 2);
  const auto near = [](std::size_t i, std::size_t size) {  // the neighbour half a pixel away
    return i % 2 == 0 ? (i == 0 ? 0 : i / 2 - 1) : std::min(i / 2 + 1, size - 1);
  };
  const auto mix = [](int a, int b, int c, int d) {  // bilinear weights at a quarter pixel
    return static_cast<std::uint8_t>((9 * a + 3 * b + 3 * c + d + 8) / 16);
  };
  for (std::size_t y = 0; y < large.height; ++y) {
    for (std::size_t x = 0; x < large.width; ++x) {
      const std::size_t nx = near(x, picture.width);
      const std::size_t ny = near(y, picture.height);
      const Rgb& a = picture.at(x / 2, y / 2);
      const Rgb& b = picture.at(nx, y / 2);
      const Rgb& c = picture.at(x / 2, ny);
      const Rgb& d = picture.at(nx, ny);
      large.at(x, y) = {mix(a.red, b.red, c.red, d.red), mix(a.green, b.green, c.green, d.green),
                        mix(a.blue, b.blue, c.blue, d.blue)};
    }
  }
  return large;
}

Picture beside(const std::vector<Picture>& pictures) {
  std::size_t width = 0;
  std::size_t height = 0;
  for (const Picture& picture : pictures) {
    width += picture.width + kGap;
    height = std::max(height, picture.height);
  }
  Picture sheet(width - kGap, height);
  std::size_t left = 0;
  for (const Picture& picture : pictures) {
    for (std::size_t y = 0; y < picture.height; ++y) {
      std::copy_n(&picture.at(0, y), picture.width, &sheet.at(left, y));
    }
    left += picture.width + kGap;
  }
  return sheet;
}

}  // namespace microscopy
