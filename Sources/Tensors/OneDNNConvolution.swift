internal import COneDNN

/// A convolution by oneDNN. Its own layouts of the weights stay inside: a packed copy is made once
/// after each change of the weights, when first needed.
final class OneDNNConvolution: Convolution {
  let geometry: ConvolutionGeometry
  let arena: Arena
  private let stream = OneDNNStream()
  private let weightLayout: OneDNNMemory
  private var forwardPasses: [PassKey: WeightedPass] = [:]
  private var backwardInputPasses: [PassKey: WeightedPass] = [:]
  private var backwardWeightsPasses: [PassKey: AccumulatingPass] = [:]
  private var packings: [PackedWeights] = []

  /// What a pass depends on, the geometry being given.
  private struct PassKey: Hashable {
    var samples: Int
    var hasBias = false
    var accumulates = false
  }

  /// A copy of the weights in a layout of oneDNN's choice; passes of equal layout share it.
  private final class PackedWeights {
    let memory: OneDNNMemory
    let buffer: FlatBuffer
    let reorder: OneDNNReorder
    var isCurrent = false

    init(_ memory: OneDNNMemory, from layout: OneDNNMemory, _ stream: OneDNNStream) {
      self.memory = memory
      buffer = FlatBuffer(count: (memory.bytes + 3) / 4)
      reorder = OneDNNReorder(from: layout, to: memory, accumulating: false, stream)
    }

    func data(of weights: FloatView) -> UnsafeMutableRawPointer {
      if !isCurrent {
        reorder.execute(from: weights.base, to: buffer.pointer)
        isCurrent = true
      }
      return UnsafeMutableRawPointer(buffer.pointer)
    }
  }

  private struct WeightedPass {
    let pass: OneDNNPass
    let packed: PackedWeights
  }

  private struct AccumulatingPass {
    let pass: OneDNNPass
    let reorder: OneDNNReorder
  }

  init(_ geometry: ConvolutionGeometry, arena: Arena) {
    self.geometry = geometry
    self.arena = arena
    weightLayout = OneDNNMemory(
      weightsOf: Self.shape(geometry, PassKey(samples: 1)), stream)
  }

  func weightsDidChange() {
    for packing in packings { packing.isCurrent = false }
  }

  func forward(
    _ x: borrowing Tensor, weights: FloatView, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    checkShapes(x.shape, y.shape)
    guard x.shape.n > 0 else { return }
    let key = PassKey(samples: x.shape.n, hasBias: bias != nil, accumulates: accumulating)
    let pass = forwardPasses[key] ?? weightedPass(key, SLTT_FORWARD)
    forwardPasses[key] = pass
    pass.pass.execute(
      input: x.pointer, weights: pass.packed.data(of: weights), bias: bias?.base,
      output: y.pointer)
  }

  func backwardInput(_ gy: borrowing Tensor, weights: FloatView, into gx: inout Tensor) {
    checkShapes(gx.shape, gy.shape)
    guard gx.shape.n > 0 else { return }
    let key = PassKey(samples: gx.shape.n)
    let pass = backwardInputPasses[key] ?? weightedPass(key, SLTT_BACKWARD_DATA)
    backwardInputPasses[key] = pass
    pass.pass.execute(
      input: gx.pointer, weights: pass.packed.data(of: weights), bias: nil, output: gy.pointer)
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    checkShapes(x.shape, gy.shape)
    guard x.shape.n > 0 else { return }
    let key = PassKey(samples: x.shape.n, hasBias: biasGradient != nil)
    let pass = backwardWeightsPasses[key] ?? accumulatingPass(key)
    backwardWeightsPasses[key] = pass
    // oneDNN overwrites its results; the reorder to our layout adds them up.
    let weights = Tensor(Shape(n: 1, c: pass.pass.weights.bytes / 4), in: arena)
    let bias = Tensor(Shape(n: 1, c: geometry.outputChannels), in: arena)
    pass.pass.execute(
      input: x.pointer, weights: weights.pointer, bias: bias.pointer, output: gy.pointer)
    pass.reorder.execute(from: weights.pointer, to: weightGradient.base)
    if let biasGradient {
      for channel in 0..<geometry.outputChannels {
        biasGradient.base[channel] += bias.pointer[channel]
      }
    }
  }

  private func weightedPass(_ key: PassKey, _ direction: sltt_dnnl_direction) -> WeightedPass {
    let pass = OneDNNPass(Self.shape(geometry, key), direction, stream)
    if let packed = packings.first(where: { $0.memory.hasLayout(of: pass.weights) }) {
      return WeightedPass(pass: pass, packed: packed)
    }
    let packed = PackedWeights(pass.weights, from: weightLayout, stream)
    packings.append(packed)
    return WeightedPass(pass: pass, packed: packed)
  }

  private func accumulatingPass(_ key: PassKey) -> AccumulatingPass {
    let pass = OneDNNPass(Self.shape(geometry, key), SLTT_BACKWARD_WEIGHTS, stream)
    let reorder = OneDNNReorder(from: pass.weights, to: weightLayout, accumulating: true, stream)
    return AccumulatingPass(pass: pass, reorder: reorder)
  }

  private static func shape(
    _ geometry: ConvolutionGeometry, _ key: PassKey
  ) -> sltt_dnnl_convolution {
    let (input, output) = (
      geometry.input(samples: key.samples), geometry.output(samples: key.samples)
    )
    let window = geometry.window
    return sltt_dnnl_convolution_shape(
      Int64(key.samples), Int64(input.c), Int64(input.h), Int64(input.w), Int64(output.c),
      Int64(output.h), Int64(output.w), Int64(window.kernel), Int64(window.stride),
      Int64(window.padding), key.hasBias ? 1 : 0, key.accumulates ? 1 : 0)
  }
}
