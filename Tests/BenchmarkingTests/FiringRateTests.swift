import Configuration
import Distributed
import SpikingNetworks
import Tensors
import Testing
import Training

@testable import Benchmarking

struct FiringRateTests {
  private func job(_ overrides: [String], firingRate: Double = 0.15) throws -> BenchmarkJob {
    let small = ["training.global_batch=4", "model.classes=10", "method.timesteps=3"]
    return try BenchmarkJob(
      Configuration(file: nil, overrides: small + overrides), .synthetic(firingRate: firingRate),
      backend: ConvolutionBackend(), threads: ThreadPool.threads, SingleProcess())
  }

  @Test(arguments: [
    (["model.architecture=resnet18", "model.width=8", "data.image_size=32"], 0.15),
    (["model.architecture=nf-resnet34", "model.width=8", "data.image_size=48"], 0.15),
    (
      [
        "model.architecture=vgg11", "model.width=8", "model.input_channels=2", "data.image_size=32",
      ], 0.15
    ),
    // They remember more of earlier time steps.
    (["model.family=resnet", "model.blocks=[1,1]", "model.width=8", "neuron.tau=2"], 0.3),
    (["model.family=nf-resnet", "model.blocks=[1,1]", "model.width=8", "neuron.tau=inf"], 0.05),
    (
      [
        """
        model.layers=[{convolution: {channels: 8, kernel: 3}}, neuron, \
        {convolution: {channels: 8, kernel: 3}}, {neuron: {threshold: 40}}, linear]
        """
      ], 0.3
    ),
  ])
  func allLayersFireAsOftenAsWantedAndGoOnSo(_ network: [String], _ target: Double) throws {
    let job = try job(network, firingRate: target)
    for _ in 0..<3 {
      let rate = try job.iterate().firingRate
      #expect(abs(rate / target - 1) < 0.15, "\(rate)")
      let rates = job.trainer.network.firingRates
      #expect(rates.allSatisfy { abs($0 / target - 1) < 0.4 }, "\(rates)")
    }
  }

  private static let normalizerFree = [
    "model.family=nf-resnet", "model.blocks=[1,1]", "model.width=8",
  ]

  @Test func gradientsReachAllWeights() throws {
    let job = try job(Self.normalizerFree)
    _ = try job.iterate()
    for parameter in job.trainer.network.store.parameters {
      #expect(parameter.gradient.elements.contains { $0 != 0 }, "\(parameter.name)")
    }
  }

  @Test func isTheSameEachTime() throws {
    func thresholds() throws -> [Float] {
      try job(Self.normalizerFree).trainer.network.thresholds
    }
    let first = try thresholds()
    #expect(try thresholds() == first)
    #expect(Set(first).count == 4)
  }
}
