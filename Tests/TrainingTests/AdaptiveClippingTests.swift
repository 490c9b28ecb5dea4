import Distributed
import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks
@testable import Training

/// What needs no other rank; divided among ranks, and with overlap: DataParallelTrainerMPITests.
struct AdaptiveClippingTests {
  /// A parameter of each kind.
  private let store = ParameterStore(
    parameters: [
      Parameter(
        "conv.weight", shape: [3, 2, 2, 2], layout: .convolution(kernel: 2, inputs: 2, outputs: 3),
        .constant(0)),
      Parameter("conv.gain", shape: [3, 1, 1, 1], .constant(0)),
      Parameter("conv.bias", shape: [3], .constant(0)),
      Parameter("skip", shape: [], .constant(0)),
      Parameter(
        "hidden.weight", shape: [2, 6],
        layout: .linear(outputs: 2, input: Shape(n: 1, h: 1, w: 3, c: 2)), .constant(0)),
      Parameter("fc.weight", shape: [2, 3], .constant(0)),
    ], statistics: [], seed: 0)

  /// What timm's `adaptive_clip_grad` makes of the gradients below with `clip_factor=0.1`, in the published
  /// order, but for the last one, which counts as the classifier's. Norms are cut to 1/3 and 1/7 in the
  /// convolution, to 1/5 in the gain, to 1/1335 in the bias, whose weights are 0.
  private static let clipped: [String: [Float]] = [
    "conv.weight": [
      -0.046875, 0.03125, 0, -0.03125, 0.046875, 0.015625, -0.015625, -0.046875, 0.040745015, 0,
      -0.040745015, 0.061117523, 0.020372508, -0.020372508, -0.061117523, 0.040745015, 0,
      -0.042257713, 0.063386569, 0.021128856, -0.021128856, -0.063386569, 0.042257713, 0,
    ],
    "conv.gain": [-0.046875, 0.025, 0],
    "conv.bias": [-3.5112344e-05, 9.3632918e-05, 0],
    "skip": [-0.046875],
    "hidden.weight": [
      -0.02324337, 0.01549558, 0, -0.01549558, 0.092973479, 0.03099116, -0.010439278, -0.031317835,
      0.046976752, 0, -0.046976752, 0.070465128,
    ],
    "fc.weight": [-0.046875, 0.03125, 0, -0.125, 0.421875, 0.140625],
  ]

  init() {
    for parameter in store.parameters {
      let indices = Array(0..<parameter.count)
      if parameter.name != "conv.bias" {
        parameter.assign(
          published: indices.map { Float($0 * 7 % 11 - 5) / 8 }, to: parameter.values)
      }
      let gradient = indices.map { index in
        let scale = 1 + index * 3 / parameter.count
        return Float((index * 5 % 7 - 3) * scale * scale) / 64
      }
      parameter.assign(published: gradient, to: parameter.gradient)
    }
  }

  private func checkGradients() {
    for parameter in store.parameters {
      #expect(
        relativeDifference(
          parameter.published(parameter.gradient), Self.clipped[parameter.name]!) < 1e-6,
        "\(parameter.name)")
    }
  }

  @Test func shortensAsTimmDoes() {
    AdaptiveClipping(0.1, store, classifier: ["fc.weight"])
      .clip(store.gradients, of: store.weights.all)
    checkGradients()
  }

  /// Chunks that end anywhere in a unit.
  @Test(arguments: [1, 2, 5, 7, 48]) func chunksMakeNoDifference(length: Int) throws {
    let reducer = GradientReducer(communicator: SingleProcess(), chunkLength: length)
    try AdaptiveClipping(0.1, store, classifier: ["fc.weight"]).clip(
      store.gradients, of: store.weights.all, OptimizerShards(count: store.weights.count, reducer),
      reducer)
    checkGradients()
  }

  @Test func shorterGradientsKeepTheirBits() {
    let before = store.gradients.elements
    AdaptiveClipping(1e6, store, classifier: []).clip(store.gradients, of: store.weights.all)
    #expect(store.gradients.elements == before)
  }

  @Test(arguments: [
    ([200, 50, 3, 3], ParameterLayout.convolution(kernel: 3, inputs: 50, outputs: 200)),
    ([200, 500], .linear(outputs: 200, input: Shape(n: 1, c: 500))),
  ]) func threadsChangeNoBit(shape: [Int], layout: ParameterLayout) {
    let parameter = Parameter("weight", shape: shape, layout: layout, .normal(deviation: 1))
    let store = ParameterStore(parameters: [parameter], statistics: [], seed: 3)
    let clipping = AdaptiveClipping(0.01, store, classifier: [])
    func clipped(threads: Int) -> [Float] {
      withThreads(threads) {
        store.gradients.assign(store.weights.all, times: 0.5)
        clipping.clip(store.gradients, of: store.weights.all)
        return store.gradients.elements
      }
    }
    let alone = clipped(threads: 1)
    #expect(
      relativeDifference(alone, store.weights.all.elements.map { 0.01 * $0 }) < 1e-5)
    for threads in [2, 3, 5] { #expect(clipped(threads: threads) == alone) }
  }

  // MARK: In training

  /// A parameter before and after a step of 0.5 times the gradient, in the published order.
  private struct Trained {
    let name: String
    let units: Int
    let before, after: [Float]
  }

  private func trained(_ overrides: String...) throws -> [Trained] {
    let job = try SmallJob(
      [
        "model.blocks=[1,1]", "model.width=4", "optimizer.momentum=0", "optimizer.weight_decay=0",
      ] + overrides, SingleProcess())
    let parameters = job.network.store.parameters
    let before = parameters.map { $0.published($0.values) }
    try job.trainOnce(learningRate: 0.5)
    return zip(parameters, before).map { parameter, before in
      Trained(
        name: parameter.name, units: parameter.shape.count > 1 ? parameter.shape[0] : 1,
        before: before, after: parameter.published(parameter.values))
    }
  }

  private func norm(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  @Test func noUnitButTheClassifiersTakesALongerStep() throws {
    let (clipped, unclipped) = (try trained("optimizer.agc=0.001"), try trained())
    #expect(try trained("optimizer.agc=1e6").map(\.after) == unclipped.map(\.after))
    var longest = 0.0
    for (parameter, unclipped) in zip(clipped, unclipped) {
      guard !parameter.name.hasPrefix("linear.") else {
        #expect(parameter.after == unclipped.after && parameter.after != parameter.before)
        continue
      }
      let length = parameter.before.count / parameter.units
      for unit in 0..<parameter.units {
        let range = unit * length..<(unit + 1) * length
        let before = parameter.before[range].map { Double($0) }
        let step = norm(zip(before, parameter.after[range]).map { $0 - Double($1) })
        longest = max(longest, step / (0.5 * 0.001 * max(norm(before), 1e-3)))
      }
    }
    #expect(abs(longest - 1) < 1e-2)
  }
}
