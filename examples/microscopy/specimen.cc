#include "specimen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>

namespace microscopy {
namespace {

using Random = std::mt19937_64;
using Point = std::array<double, 3>;  // voxels; z is counted in slices

constexpr double kSliceToVoxel = 3.0;     // a slice is three voxels thick
constexpr double kFilamentPhotons = 260;  // per voxel of path
constexpr double kVesiclePhotons = 9000;

double uniform(Random& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

double normal(Random& random, double sigma) {
  return std::normal_distribution<double>(0, sigma)(random);
}

// Spreads `photons` over the voxels around `at` as a small Gaussian ball.
void add_spot(Volume& volume, const Point& at, double radius, double photons) {
  const int reach = static_cast<int>(std::ceil(3 * radius));
  const int slices = static_cast<int>(std::ceil(3 * radius / kSliceToVoxel));
  const double norm =
      photons * kSliceToVoxel / (std::pow(2 * std::numbers::pi, 1.5) * std::pow(radius, 3));
  const auto inside = [](long i, std::size_t size) {
    return i >= 0 && i < static_cast<long>(size);
  };
  for (int dz = -slices; dz <= slices; ++dz) {
    for (int dy = -reach; dy <= reach; ++dy) {
      for (int dx = -reach; dx <= reach; ++dx) {
        const long x = std::lround(at[0]) + dx;
        const long y = std::lround(at[1]) + dy;
        const long z = std::lround(at[2]) + dz;
        if (!inside(x, volume.extent.width) || !inside(y, volume.extent.height) ||
            !inside(z, volume.extent.depth)) {
          continue;
        }
        const double rx = x - at[0];
        const double ry = y - at[1];
        const double rz = (z - at[2]) * kSliceToVoxel;
        const double r2 = (rx * rx + ry * ry + rz * rz) / (radius * radius);
        volume.at(x, y, z) += static_cast<float>(norm * std::exp(-0.5 * r2));
      }
    }
  }
}

struct Cell {
  Point nucleus;
  Point centre;                   // where the filaments start
  std::array<double, 3> radii{};  // of the nucleus
  std::array<double, 3> outer{};  // of the cell
};

Cell place_cell(Extent extent) {
  const double w = static_cast<double>(extent.width);
  const double h = static_cast<double>(extent.height);
  const double d = static_cast<double>(extent.depth);
  return {{0.45 * w, 0.56 * h, 0.42 * d},
          {0.54 * w, 0.42 * h, 0.60 * d},
          {0.15 * w, 0.125 * h, 0.27 * d},
          {0.47 * w, 0.47 * h, 0.44 * d}};
}

// Distance from the middle of an ellipsoid, 1 on its surface.
double depth_in(const Point& at, const Point& middle, const std::array<double, 3>& radii) {
  double sum = 0;
  for (int i = 0; i < 3; ++i)
    sum += std::pow((at[i] - middle[i]) / radii[i], 2);
  return std::sqrt(sum);
}

// Turns a direction by a little, away from the nucleus when close to it, and back into the cell.
void steer(Point& direction, const Point& at, const Cell& cell, const Point& middle,
           Random& random) {
  for (int i = 0; i < 3; ++i)
    direction[i] += normal(random, i == 2 ? 0.035 : 0.055);
  const double near = depth_in(at, cell.nucleus, cell.radii);
  const double far = depth_in(at, middle, cell.outer);
  for (int i = 0; i < 3; ++i) {
    const double scale = i == 2 ? kSliceToVoxel : 1.0;
    if (near < 1.3) direction[i] += 0.25 * (1.3 - near) * (at[i] - cell.nucleus[i]) / cell.radii[i];
    if (far > 0.8) direction[i] -= 0.35 * (far - 0.8) * (at[i] - middle[i]) / cell.outer[i] * scale;
  }
  const double length = std::hypot(direction[0], direction[1], direction[2]);
  for (double& part : direction)
    part /= length;
}

void grow_filament(Volume& volume, const Cell& cell, Random& random) {
  const Extent e = volume.extent;
  const Point middle = {0.5 * e.width, 0.5 * e.height, 0.5 * e.depth};
  const double azimuth = uniform(random, 0, 2 * std::numbers::pi);
  Point direction = {std::cos(azimuth), std::sin(azimuth), uniform(random, -0.6, 0.6)};
  Point at = cell.centre;
  for (int i = 0; i < 3; ++i)
    at[i] += 3.5 * direction[i] + normal(random, i == 2 ? 0.6 : 1.8);
  const double brightness = uniform(random, 0.6, 1.3);
  const double step = 0.5;
  const int steps = static_cast<int>(uniform(random, 0.3, 1.15) * e.width / step);
  for (int i = 0; i < steps; ++i) {
    steer(direction, at, cell, middle, random);
    at = {at[0] + step * direction[0], at[1] + step * direction[1],
          at[2] + step * direction[2] / kSliceToVoxel};
    if (depth_in(at, middle, cell.outer) > 1.08) break;
    add_spot(volume, at, 1.0, brightness * kFilamentPhotons * step);
  }
}

}  // namespace

Specimen grow_cell(Extent extent, std::uint64_t seed) {
  Random random(seed);
  const Cell cell = place_cell(extent);
  const Point middle = {0.5 * extent.width, 0.5 * extent.height, 0.5 * extent.depth};
  const double area = static_cast<double>(extent.width * extent.height) / (256.0 * 256.0);
  Specimen specimen{Volume(extent), std::max(8, static_cast<int>(84 * std::sqrt(area))),
                    std::max(6, static_cast<int>(70 * area))};
  for (int i = 0; i < specimen.filaments; ++i)
    grow_filament(specimen.truth, cell, random);
  for (int placed = 0; placed < specimen.vesicles;) {
    const Point at = {uniform(random, 0, extent.width), uniform(random, 0, extent.height),
                      uniform(random, 0, extent.depth)};
    if (depth_in(at, middle, cell.outer) > 0.95 || depth_in(at, cell.nucleus, cell.radii) < 1.05) {
      continue;
    }
    add_spot(specimen.truth, at, 1.3, uniform(random, 0.3, 1.0) * kVesiclePhotons);
    ++placed;
  }
  return specimen;
}

void count_photons(Volume& expected, double background, std::uint64_t seed) {
  Random random(seed);
  for (float& value : expected.values) {
    std::poisson_distribution<int> photons(std::max(0.0F, value) + background);
    value = static_cast<float>(photons(random));
  }
}

}  // namespace microscopy
