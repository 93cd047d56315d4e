// The model: its sizes, and where in one array of numbers each weight is. The same for the device's
// forward pass (kernels.h) and the host's (reference.h).
#pragma once

#include <cstddef>
#include <random>
#include <vector>

constexpr int kVocabulary = 96;  // printable characters
constexpr int kPositions = 128;  // the longest text
constexpr int kWidth = 64;       // numbers for each character of the text
constexpr int kHeads = 4;
constexpr int kHeadWidth = kWidth / kHeads;
constexpr int kHidden = 4 * kWidth;  // between the two layers of an MLP
constexpr int kLayers = 3;

// Offsets into the weights. Matrices are rows of inputs by columns of outputs.
struct Layer {
  size_t norm1_gain, norm1_bias, qkv, projection, norm2_gain, norm2_bias, up, down;
};
struct Layout {
  size_t characters, positions, norm_gain, norm_bias, total;
  Layer layers[kLayers];
};

inline Layout layout() {
  Layout at{};
  size_t next = 0;
  const auto take = [&next](size_t count) {
    next += count;
    return next - count;
  };
  at.characters = take(size_t{kVocabulary} * kWidth);
  at.positions = take(size_t{kPositions} * kWidth);
  for (Layer& layer : at.layers) {
    layer.norm1_gain = take(kWidth);
    layer.norm1_bias = take(kWidth);
    layer.qkv = take(size_t{kWidth} * 3 * kWidth);
    layer.projection = take(size_t{kWidth} * kWidth);
    layer.norm2_gain = take(kWidth);
    layer.norm2_bias = take(kWidth);
    layer.up = take(size_t{kWidth} * kHidden);
    layer.down = take(size_t{kHidden} * kWidth);
  }
  at.norm_gain = take(kWidth);
  at.norm_bias = take(kWidth);
  at.total = next;
  return at;
}

// Nobody has trained it: numbers of a random generator, the same in every run.
inline std::vector<float> random_weights() {
  std::mt19937 random(42);
  std::vector<float> weights(layout().total);
  for (float& weight : weights)
    weight = (static_cast<float>(random() >> 8) * 0x1p-24f - 0.5f) * 0.4f;
  return weights;
}
