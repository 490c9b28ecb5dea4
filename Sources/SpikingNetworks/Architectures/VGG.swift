import Tensors

/// One convolution of a VGG: `s = dropout(lif(bn(conv(x))))`.
private final class VGGUnit {
  let conv: Convolution2D
  let lif: LIFNeuron
  let dropout: Dropout?

  /// - Parameter index: of the convolution in its stage, which has four modules for each.
  init(_ stage: String, index: Int, input: Shape, outputs: Int, _ builder: NetworkBuilder) {
    func name(_ module: Int) -> String { "\(stage).\(4 * index + module)" }
    conv = builder.add(
      Convolution2D(
        name(0), input: input, outputs: outputs, SlidingWindow(kernel: 3, padding: 1),
        biasInitialization: .constant(0), readsSpikes: index > 0, builder))
    let norm = BatchNorm(name(1), channels: outputs, builder)
    lif = builder.add(
      LIFNeuron(name(2), input: conv.output, normalization: norm, builder))
    dropout = builder.dropout(name(3), input: conv.output)
  }

  /// Fires on the convolution's output.
  func fire(_ current: SharedTensor, _ tape: inout Tape) -> SpikeTensor {
    let spikes = lif.forward(current, &tape)
    guard let dropout else { return spikes }
    let kept = dropout.forward(spikes, &tape)
    tape.push(spikes)
    return kept
  }

  /// The gradient of the convolution's output, from that of the unit's.
  func backwardFire(
    _ g: consuming Tensor, spikes: borrowing SpikeTensor, _ tape: inout Tape
  ) -> Tensor {
    guard let dropout else { return lif.backward(g, spikes: spikes, &tape) }
    let fired = tape.popSpikes()
    return lif.backward(
      g, dropout: dropout.mask(samples: fired.shape.n, tape), spikes: fired, &tape)
  }
}

/// A stage of a VGG: convolutions of one width, then 2x2 average pooling.
///
/// The first convolution's input is dense (the frame, or averages of spikes), the others' are spikes.
private final class VGGStage {
  private let units: [VGGUnit]
  private let pool: AveragePool

  init(
    _ name: String, input: Shape, outputs: Int, units count: Int, isLast: Bool,
    _ builder: NetworkBuilder
  ) {
    var units: [VGGUnit] = []
    var shape = input
    for index in 0..<count {
      units.append(VGGUnit(name, index: index, input: shape, outputs: outputs, builder))
      shape = units[index].conv.output
    }
    self.units = units
    pool = builder.add(
      AveragePool(
        "\(name).\(4 * count)",
        AveragePooling(input: shape, window: SlidingWindow(kernel: 2, stride: 2)),
        isOutputKept: !isLast, builder))
  }

  var output: Shape { pool.output }

  /// - Parameter current: the first convolution's output.
  func forward(_ current: SharedTensor, _ tape: inout Tape) -> Tensor {
    var spikes = units[0].fire(current, &tape)
    for unit in units.dropFirst() {
      let current = SharedTensor(unit.conv.forward(spikes))
      tape.push(spikes)
      spikes = unit.fire(current, &tape)
    }
    let averages = pool.forward(spikes)
    tape.push(spikes)
    return averages
  }

  /// The gradient of the first convolution's output.
  func backwardToFirst(_ gy: consuming Tensor, _ tape: inout Tape) -> Tensor {
    var g = pool.backward(gy)
    var spikes = tape.popSpikes()
    for unit in units.dropFirst().reversed() {
      g = unit.backwardFire(g, spikes: spikes, &tape)
      spikes = tape.popSpikes()
      g = unit.conv.backward(g, input: spikes)
    }
    return units[0].backwardFire(g, spikes: spikes, &tape)
  }

  var first: Convolution2D { units[0].conv }
}

/// Spiking VGG with batch norm (Simonyan and Zisserman, ICLR 2015; spiking form and names as in the
/// published SLTT code).
final class VGG: NetworkBody {
  private let stages: [VGGStage]
  private let pool: AveragePool
  private let classifier: Linear

  /// - Precondition: `specification.problem` is `nil`.
  init(_ builder: NetworkBuilder) {
    let specification = builder.specification
    var stages: [VGGStage] = []
    var shape = specification.input
    for (stage, count) in specification.blocks.enumerated() {
      stages.append(
        VGGStage(
          "layer\(stage + 1)", input: shape, outputs: specification.planes(ofStage: stage),
          units: count, isLast: stage == specification.blocks.count - 1, builder))
      shape = stages[stage].output
      builder.endSection()
    }
    self.stages = stages
    pool = builder.add(
      AveragePool(
        "avgpool", AveragePooling(input: shape, adaptiveHeight: 7, width: 7), builder))
    classifier = builder.add(
      Linear(
        "classifier.1", input: pool.output, outputs: specification.classes,
        weight: .normal(deviation: 0.01), bias: .constant(0), builder))
    builder.endSection()
  }

  func stem(_ frame: borrowing Tensor) -> Tensor { stages[0].first.forward(frame) }

  func forward(_ stem: SharedTensor, _ tape: inout Tape) -> Tensor {
    var x = stages[0].forward(stem, &tape)
    for stage in stages.dropFirst() {
      let y = stage.forward(SharedTensor(stage.first.forward(x)), &tape)
      tape.push(x)
      x = y
    }
    return classifier.forward(pool.forward(x), &tape)
  }

  /// The first stage counts as the stem's section, with its first convolution.
  func backward(
    _ gradient: consuming Tensor, _ tape: inout Tape, _ endSection: () -> Void
  ) -> Tensor {
    var g = pool.backward(classifier.backward(gradient, &tape))
    endSection()
    for stage in stages.dropFirst().reversed() {
      let x = tape.popTensor()
      g = stage.first.backward(stage.backwardToFirst(g, &tape), input: x)
      endSection()
    }
    return stages[0].backwardToFirst(g, &tape)
  }

  func backwardStem(_ gradient: borrowing Tensor, frame: borrowing Tensor) {
    stages[0].first.backwardWeights(gradient, input: frame)
  }
}
