// The same forward pass on the host, in double precision, as plainly as can be: what the device's
// must agree with.
#pragma once

#include <cmath>
#include <vector>

#include "model.h"

namespace reference {

using Numbers = std::vector<double>;

inline Numbers layer_norm(const Numbers& x, const float* gain, const float* bias) {
  Numbers out(x.size());
  for (size_t row = 0; row < x.size(); row += kWidth) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < kWidth; ++i)
      mean += x[row + i] / kWidth;
    for (size_t i = 0; i < kWidth; ++i)
      variance += (x[row + i] - mean) * (x[row + i] - mean) / kWidth;
    for (size_t i = 0; i < kWidth; ++i)
      out[row + i] = (x[row + i] - mean) / std::sqrt(variance + 1e-5) * gain[i] + bias[i];
  }
  return out;
}

inline Numbers matmul(const Numbers& a, const float* b, size_t inner, size_t columns) {
  Numbers out(a.size() / inner * columns);
  for (size_t i = 0; i < out.size(); ++i)
    for (size_t k = 0; k < inner; ++k)
      out[i] += a[i / columns * inner + k] * b[k * columns + i % columns];
  return out;
}

inline void softmax(double* values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i)
    sum += std::exp(values[i]);
  for (size_t i = 0; i < count; ++i)
    values[i] = std::exp(values[i]) / sum;
}

inline Numbers attention(const Numbers& qkv, size_t rows) {
  Numbers out(rows * kWidth);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t head = 0; head < kWidth; head += kHeadWidth) {
      Numbers weights(row + 1);
      for (size_t other = 0; other <= row; ++other)
        for (size_t i = 0; i < kHeadWidth; ++i)
          weights[other] += qkv[row * 3 * kWidth + head + i] *
                            qkv[other * 3 * kWidth + kWidth + head + i] / std::sqrt(kHeadWidth);
      softmax(weights.data(), weights.size());
      for (size_t other = 0; other <= row; ++other)
        for (size_t i = 0; i < kHeadWidth; ++i)
          out[row * kWidth + head + i] +=
              weights[other] * qkv[other * 3 * kWidth + 2 * kWidth + head + i];
    }
  }
  return out;
}

inline void add(Numbers& to, const Numbers& what) {
  for (size_t i = 0; i < to.size(); ++i)
    to[i] += what[i];
}

// For each character of the text, the probabilities of what follows it.
inline Numbers forward(const std::vector<int>& text, const std::vector<float>& weights) {
  const Layout at = layout();
  const auto w = [&weights](size_t offset) { return &weights[offset]; };
  Numbers x(text.size() * kWidth);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = w(at.characters)[size_t(text[i / kWidth]) * kWidth + i % kWidth] + w(at.positions)[i];
  for (const Layer& layer : at.layers) {
    const Numbers normed = layer_norm(x, w(layer.norm1_gain), w(layer.norm1_bias));
    const Numbers seen = attention(matmul(normed, w(layer.qkv), kWidth, 3 * kWidth), text.size());
    add(x, matmul(seen, w(layer.projection), kWidth, kWidth));
    const Numbers again = layer_norm(x, w(layer.norm2_gain), w(layer.norm2_bias));
    Numbers hidden = matmul(again, w(layer.up), kWidth, kHidden);
    for (double& value : hidden)
      value = 0.5 * value * (1 + std::erf(value * M_SQRT1_2));
    add(x, matmul(hidden, w(layer.down), kHidden, kWidth));
  }
  const Numbers last = layer_norm(x, w(at.norm_gain), w(at.norm_bias));
  Numbers out(text.size() * kVocabulary);
  for (size_t i = 0; i < out.size(); ++i)
    for (size_t k = 0; k < kWidth; ++k)
      out[i] += last[i / kVocabulary * kWidth + k] * w(at.characters)[i % kVocabulary * kWidth + k];
  for (size_t row = 0; row < text.size(); ++row)
    softmax(&out[row * kVocabulary], kVocabulary);
  return out;
}

}  // namespace reference
