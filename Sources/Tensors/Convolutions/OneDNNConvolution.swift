internal import COneDNN

/// A convolution by oneDNN. Its own layouts of the weights stay inside: a packed copy is made once
/// after each change of the weights, when first needed, or for each pass.
final class OneDNNConvolution: Convolution {
  let geometry: ConvolutionGeometry
  let arena: Arena
  /// Whether operands are rounded to bfloat16.
  private let isMixed: Bool
  private let keepsPacked: Bool
  private let stream = OneDNNStream()
  private let weightLayout: OneDNNMemory
  private let weightGradient: OneDNNWeightGradient
  private var forwardPasses: [PassKey: WeightedPass] = [:]
  private var backwardInputPasses: [PassKey: WeightedPass] = [:]
  private var backwardWeightsPasses: [PassKey: AccumulatingPass] = [:]
  private var layouts: [WeightLayout] = []

  /// What a pass depends on, the geometry being given.
  private struct PassKey: Hashable {
    var samples: Int
    var hasBias = false
    var accumulates = false
    var isMixed = false
  }

  /// A layout of the weights of oneDNN's choice; passes of equal layout share it.
  private struct WeightLayout {
    let memory: OneDNNMemory
    let reorder: OneDNNReorder
    let packed: PackedWeights

    func withData(
      of weights: ConvolutionWeights, _ arena: Arena, _ body: (UnsafeMutableRawPointer) -> Void
    ) {
      packed.with(in: arena) { copy in
        weights.withElements(in: arena) { reorder.execute(from: $0, to: copy) }
      } _: {
        // oneDNN takes what it only reads as memory that can be written.
        body(UnsafeMutableRawPointer(mutating: $0))
      }
    }
  }

  private struct WeightedPass {
    let pass: OneDNNPass
    let weights: WeightLayout
  }

  private struct AccumulatingPass {
    let pass: OneDNNPass
    let reorder: OneDNNReorder
  }

  /// - Parameter keepsPacked: whether packed weights stay for the next pass.
  init(
    _ geometry: ConvolutionGeometry, _ precision: Precision = .float32, keepsPacked: Bool = true,
    arena: Arena
  ) {
    self.geometry = geometry
    self.arena = arena
    self.keepsPacked = keepsPacked
    isMixed = precision == .mixed && Self.gainsByMixing(geometry)
    weightLayout = OneDNNMemory(
      weightsOf: geometry.oneDNNShape(samples: 1), among: geometry.outputChannels, stream)
    weightGradient = OneDNNWeightGradient(geometry, arena: arena)
  }

  /// Narrow layers, such as a stem of three channels, are not faster in bfloat16: they stay exact.
  static func gainsByMixing(_ geometry: ConvolutionGeometry) -> Bool {
    min(geometry.inputChannels, geometry.outputChannels) >= 16
  }

  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel {
    .oneDNN
  }

  func packedBytes(for pass: ConvolutionPass, samples: Int, ofSpikes: Bool) -> Int {
    pass == .backwardWeights || !keepsPacked ? 0 : geometry.weightCount * (isMixed ? 2 : 4)
  }

  /// Operands as floats or rounded, the packed weights or the gradient before it is added, and what
  /// oneDNN takes itself.
  func scratchBytes(samples: Int) -> Int {
    let (input, output) = (geometry.input(samples: samples), geometry.output(samples: samples))
    let operands = isMixed ? 2 * (input.count + output.count) : 4 * input.count
    guard samples > 0 else { return 0 }
    let shape = geometry.oneDNNShape(samples: samples, isMixed: isMixed)
    func own(_ direction: sltt_dnnl_direction) -> Int {
      OneDNNPass.scratchBytes(shape, direction, stream)
    }
    // In its layouts channels fill blocks of 16.
    let blocks = (input.c + 15) / 16 * ((output.c + 15) / 16)
    let taps = geometry.window.kernel * geometry.window.kernel
    let weights = 4 * (256 * blocks * taps + output.c)
    let gradient =
      isMixed
      ? weights + own(SLTT_BACKWARD_WEIGHTS) : weightGradient.scratchBytes(samples: samples)
    return operands + max(weights + max(own(SLTT_FORWARD), own(SLTT_BACKWARD_DATA)), gradient)
  }

  func weightsDidChange() {
    for layout in layouts { layout.packed.weightsDidChange() }
  }

  func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    checkShapes(x.shape, y.shape)
    let (samples, output) = (x.shape.n, y.pointer)
    y.willChange()
    withOperand(x) {
      forward(
        $0, samples: samples, weights: weights, bias: bias, into: output,
        accumulating: accumulating)
    }
  }

  func forward(
    _ spikes: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?,
    into y: inout Tensor,
    accumulating: Bool
  ) {
    checkShapes(spikes.shape, y.shape)
    let (samples, output) = (spikes.shape.n, y.pointer)
    y.willChange()
    withOperand(spikes) {
      forward(
        $0, samples: samples, weights: weights, bias: bias, into: output,
        accumulating: accumulating)
    }
  }

  private func forward(
    _ x: UnsafeMutableRawPointer, samples: Int, weights: ConvolutionWeights, bias: FloatView?,
    into y: UnsafeMutablePointer<Float>, accumulating: Bool
  ) {
    guard samples > 0 else { return }
    let key = PassKey(
      samples: samples, hasBias: bias != nil, accumulates: accumulating, isMixed: isMixed)
    let pass = forwardPasses[key] ?? weightedPass(key, SLTT_FORWARD)
    forwardPasses[key] = pass
    pass.weights.withData(of: weights, arena) {
      execute(pass.pass, input: x, weights: $0, bias: bias?.base, output: y)
    }
  }

  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor) {
    checkShapes(gx.shape, gy.shape)
    gx.willChange()
    guard gx.shape.n > 0 else { return }
    let key = PassKey(samples: gx.shape.n, isMixed: isMixed)
    let pass = backwardInputPasses[key] ?? weightedPass(key, SLTT_BACKWARD_DATA)
    backwardInputPasses[key] = pass
    let input = gx.pointer
    withOperand(gy) { gy in
      pass.weights.withData(of: weights, arena) {
        execute(pass.pass, input: input, weights: $0, bias: nil, output: gy)
      }
    }
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    checkShapes(x.shape, gy.shape)
    let samples = x.shape.n
    withOperand(x) { x in
      withOperand(gy) { gy in
        backwardWeights(x, gy, samples: samples, into: weightGradient, bias: biasGradient)
      }
    }
  }

  func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    checkShapes(spikes.shape, gy.shape)
    let samples = spikes.shape.n
    withOperand(spikes) { x in
      withOperand(gy) { gy in
        backwardWeights(x, gy, samples: samples, into: weightGradient, bias: biasGradient)
      }
    }
  }

  private func backwardWeights(
    _ x: UnsafeMutableRawPointer, _ gy: UnsafeMutableRawPointer, samples: Int,
    into gradient: FloatView, bias biasGradient: FloatView?
  ) {
    guard samples > 0 else { return }
    guard isMixed else {
      return weightGradient.add(
        x.assumingMemoryBound(to: Float.self), gy.assumingMemoryBound(to: Float.self),
        samples: samples, to: gradient, bias: biasGradient)
    }
    let key = PassKey(samples: samples, hasBias: biasGradient != nil, isMixed: true)
    let pass = backwardWeightsPasses[key] ?? accumulatingPass(key)
    backwardWeightsPasses[key] = pass
    // oneDNN overwrites its results; the reorder to our layout adds them up.
    let weights = Tensor(Shape(n: 1, c: pass.pass.weights.bytes / 4), in: arena)
    let bias = Tensor(Shape(n: 1, c: geometry.outputChannels), in: arena)
    execute(pass.pass, input: x, weights: weights.pointer, bias: bias.pointer, output: gy)
    pass.reorder.execute(from: weights.pointer, to: gradient.base)
    if let biasGradient {
      for channel in 0..<geometry.outputChannels {
        biasGradient.base[channel] += bias.pointer[channel]
      }
    }
  }

  private func execute(
    _ pass: OneDNNPass, input: UnsafeMutableRawPointer, weights: UnsafeMutableRawPointer,
    bias: UnsafeMutableRawPointer?, output: UnsafeMutableRawPointer
  ) {
    let scratch = Scratch(Scratch.Size(bytes: pass.scratchBytes), arena)
    pass.execute(
      input: input, weights: weights, bias: bias, output: output, workspace: scratch[0])
  }

  /// Calls `body` with a tensor's elements as oneDNN is to multiply them.
  private func withOperand(
    _ x: borrowing Tensor, _ body: (UnsafeMutableRawPointer) -> Void
  ) {
    guard isMixed else { return body(x.pointer) }
    let block = BFloat16Block.rounding(x, in: arena)
    withExtendedLifetime(block) { body(block.pointer) }
  }

  private func withOperand(
    _ spikes: borrowing SpikeTensor, _ body: (UnsafeMutableRawPointer) -> Void
  ) {
    guard isMixed else {
      let x = spikes.unpacked(in: arena)
      return body(x.pointer)
    }
    let block = BFloat16Block.unpacking(spikes, in: arena)
    withExtendedLifetime(block) { body(block.pointer) }
  }

  private func weightedPass(_ key: PassKey, _ direction: sltt_dnnl_direction) -> WeightedPass {
    let pass = OneDNNPass(shape(key), direction, stream)
    if let layout = layouts.first(where: { $0.memory.hasLayout(of: pass.weights) }) {
      return WeightedPass(pass: pass, weights: layout)
    }
    let layout = WeightLayout(
      memory: pass.weights,
      reorder: OneDNNReorder(from: weightLayout, to: pass.weights, accumulating: false, stream),
      packed: PackedWeights(Scratch.Size(bytes: pass.weights.bytes), isKept: keepsPacked))
    layouts.append(layout)
    return WeightedPass(pass: pass, weights: layout)
  }

  private func shape(_ key: PassKey) -> sltt_dnnl_convolution {
    geometry.oneDNNShape(
      samples: key.samples, hasBias: key.hasBias, accumulates: key.accumulates,
      isMixed: key.isMixed)
  }

  private func accumulatingPass(_ key: PassKey) -> AccumulatingPass {
    let pass = OneDNNPass(shape(key), SLTT_BACKWARD_WEIGHTS, stream)
    let reorder = OneDNNReorder(from: pass.weights, to: weightLayout, accumulating: true, stream)
    return AccumulatingPass(pass: pass, reorder: reorder)
  }
}

extension ConvolutionGeometry {
  func oneDNNShape(
    samples: Int, hasBias: Bool = false, accumulates: Bool = false, isMixed: Bool = false
  ) -> sltt_dnnl_convolution {
    let (input, output) = (input(samples: samples), output(samples: samples))
    return sltt_dnnl_convolution_shape(
      Int64(samples), Int64(input.c), Int64(input.h), Int64(input.w), Int64(output.c),
      Int64(output.h), Int64(output.w), Int64(window.kernel), Int64(window.stride),
      Int64(window.padding), hasBias ? 1 : 0, accumulates ? 1 : 0, isMixed ? 1 : 0)
  }
}
