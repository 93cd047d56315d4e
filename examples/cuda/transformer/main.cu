// The forward pass of a small transformer, as language models have it: embedding, then layers of
// attention and MLP, then the probabilities of what comes next. Its weights are random, so what it
// predicts means nothing; that the device and the host agree is the point.
//
// What to look at: kernels.h, from the top; here, that a forward pass is a row of launches in one
// stream, which run one after the other without the host waiting for any.
#include <cmath>
#include <string>
#include <vector>

#include "../check.h"
#include "kernels.h"
#include "reference.h"

namespace {

// Memory of the device that frees itself.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t count) : count_(count) {
    CHECK_CUDA(cudaMalloc(&data_, count * sizeof(T)));
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    CHECK_CUDA(cudaMemcpy(data_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(data_); }

  T* get() const { return data_; }
  std::vector<T> read() const {
    std::vector<T> values(count_);
    CHECK_CUDA(cudaMemcpy(values.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  T* data_ = nullptr;
  size_t count_;
};

template <Then then>
void multiply(const float* a, const float* b, float* out, int rows, int inner, int columns) {
  const dim3 threads(kMatrixTile, kMatrixTile);
  const dim3 blocks(columns / kMatrixTile, (rows + kMatrixTile - 1) / kMatrixTile);
  matmul<then><<<blocks, threads>>>(a, b, out, rows, inner, columns);
}

class Transformer {
 public:
  explicit Transformer(const std::vector<float>& weights) : weights_(weights) {}

  // Probabilities of what follows each character of the text.
  std::vector<float> forward(const std::vector<int>& text) {
    const int rows = static_cast<int>(text.size());
    const DeviceArray<int> on_device(text);
    embed<<<rows, kWidth>>>(on_device.get(), weight(at_.characters), weight(at_.positions), x_.get());
    for (const Layer& layer : at_.layers)
      run(layer, rows);
    layer_norm<<<rows, 32>>>(x_.get(), weight(at_.norm_gain), weight(at_.norm_bias), normed_.get());
    DeviceArray<float> probabilities(text.size() * kVocabulary);
    predict<<<rows, kVocabulary>>>(normed_.get(), weight(at_.characters), probabilities.get());
    CHECK_CUDA(cudaGetLastError());
    return probabilities.read();
  }

 private:
  const float* weight(size_t offset) const { return weights_.get() + offset; }

  void run(const Layer& layer, int rows) {
    layer_norm<<<rows, 32>>>(x_.get(), weight(layer.norm1_gain), weight(layer.norm1_bias),
                             normed_.get());
    multiply<Then::kStore>(normed_.get(), weight(layer.qkv), qkv_.get(), rows, kWidth, 3 * kWidth);
    attention<<<dim3(rows, kHeads), 32, rows * sizeof(float)>>>(qkv_.get(), seen_.get());
    multiply<Then::kAdd>(seen_.get(), weight(layer.projection), x_.get(), rows, kWidth, kWidth);
    layer_norm<<<rows, 32>>>(x_.get(), weight(layer.norm2_gain), weight(layer.norm2_bias),
                             normed_.get());
    multiply<Then::kGelu>(normed_.get(), weight(layer.up), hidden_.get(), rows, kWidth, kHidden);
    multiply<Then::kAdd>(hidden_.get(), weight(layer.down), x_.get(), rows, kHidden, kWidth);
  }

  Layout at_ = layout();
  DeviceArray<float> weights_;
  DeviceArray<float> x_{kPositions * kWidth}, normed_{kPositions * kWidth},
      qkv_{kPositions * 3 * kWidth}, seen_{kPositions * kWidth}, hidden_{kPositions * kHidden};
};

std::vector<int> characters_of(const std::string& text) {
  std::vector<int> characters;
  for (char c : text.substr(0, kPositions))
    characters.push_back(c < ' ' ? 0 : c - ' ');
  return characters;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string text = argc > 1 && argv[1][0] != '\0'
                               ? argv[1]
                               : "A long wire between a program and its accelerator, and here none at "
                                 "all: this machine is the accelerator.";
  const std::vector<int> characters = characters_of(text);
  const std::vector<float> weights = random_weights();
  Transformer transformer(weights);

  std::vector<float> got;
  for (const char* which : {"first", "second"}) {
    const Stopwatch watch;
    got = transformer.forward(characters);
    std::printf("%s forward pass of %zu characters, %d layers: %.1f ms\n", which, characters.size(),
                kLayers, watch.ms());
  }

  const reference::Numbers wanted = reference::forward(characters, weights);
  double largest = 0;
  for (size_t i = 0; i < got.size(); ++i)
    largest = std::fmax(largest, std::fabs(got[i] - wanted[i]));
  if (!(largest < 1e-4)) {
    std::printf("result: wrong, a probability is off by %g\n", largest);
    return 1;
  }
  std::printf("result: every probability is that of the host, but for %.1g\n", largest);
  return 0;
}
