#pragma once
/// \file Launches recorded once and replayed: one call for a whole step.

#include <cuda_runtime.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cuda_check.cuh"
#include "replay_key.hpp"

namespace jensen {

/// An executable CUDA graph.
class Graph {
 public:
  /// Records what enqueue() puts on the stream; nothing of it runs.
  template <class F>
  Graph(cudaStream_t stream, F enqueue) {
    // This thread's calls alone are recorded: another trainer may run beside it.
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaGraph_t graph = nullptr;
    try {
      enqueue();
    } catch (...) {
      cudaStreamEndCapture(stream, &graph);  // the stream must not stay in capture
      if (graph != nullptr) cudaGraphDestroy(graph);
      throw;
    }
    check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
    const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate");
  }
  ~Graph() {
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
  }
  Graph(Graph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(executable_, other.executable_);
    return *this;
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch(cudaStream_t stream) const { check(cudaGraphLaunch(executable_, stream), "cudaGraphLaunch"); }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

/// Graphs of an engine's steps by key.
class GraphCache {
 public:
  /// Runs what enqueue() enqueues. The first time directly, so that whatever CUDA sets up at a kernel's first launch is
  /// set up; from the second time on from a graph. Keys beyond the first `most` are never recorded.
  template <class F>
  void replay(cudaStream_t stream, const ReplayKey& key, F enqueue) {
    for (const auto& [known, graph] : graphs_) {
      if (known == key) return graph.launch(stream);
    }
    if (std::find(seen_.begin(), seen_.end(), key) == seen_.end()) {
      if (seen_.size() < most) seen_.push_back(key);
      return enqueue();
    }
    graphs_.emplace_back(key, Graph(stream, enqueue));
    graphs_.back().second.launch(stream);
  }

 private:
  static constexpr std::size_t most = 64;  ///< a graph of some dozen nodes takes tens of kilobytes
  std::vector<ReplayKey> seen_;
  std::vector<std::pair<ReplayKey, Graph>> graphs_;
};

}  // namespace jensen
