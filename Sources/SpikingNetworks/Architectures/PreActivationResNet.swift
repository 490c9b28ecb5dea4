import Tensors

/// A residual block that normalises and fires before each convolution:
/// `s = lif(bn(x)); y = conv(lif(bn(conv(s)))) + shortcut(s)`. Where shapes agree the shortcut is the
/// spikes themselves.
private final class PreActivationBlock {
  private let lif1, lif2: LIFNeuron
  private let conv1, conv2: Convolution2D
  private let dropout: Dropout?
  private let shortcut: Convolution2D?

  init(_ name: String, input: Shape, outputs: Int, stride: Int, _ builder: NetworkBuilder) {
    let bn1 = BatchNorm(name + ".bn1", channels: input.c, builder)
    lif1 = builder.add(
      LIFNeuron(name + ".relu1", input: input, normalization: bn1, builder))
    conv1 = builder.add(
      Convolution2D(
        name + ".conv1", input: input, outputs: outputs,
        SlidingWindow(kernel: 3, stride: stride, padding: 1), builder))
    let bn2 = BatchNorm(name + ".bn2", channels: outputs, builder)
    lif2 = builder.add(
      LIFNeuron(name + ".relu2", input: conv1.output, normalization: bn2, builder))
    dropout = builder.dropout(name + ".dropout", input: conv1.output)
    conv2 = builder.add(
      Convolution2D(
        name + ".conv2", input: conv1.output, outputs: outputs,
        SlidingWindow(kernel: 3, padding: 1), builder))
    shortcut =
      stride != 1 || input.c != outputs
      ? builder.add(
        Convolution2D(
          name + ".shortcut", input: input, outputs: outputs,
          SlidingWindow(kernel: 1, stride: stride), builder)) : nil
  }

  var output: Shape { conv2.output }

  func forward(_ x: SharedTensor, _ tape: inout Tape) -> Tensor {
    let s1 = lif1.forward(x, &tape)
    let s2 = lif2.forward(SharedTensor(conv1.forward(s1)), &tape)
    var y: Tensor
    if let dropout {
      let kept = dropout.forward(s2, &tape)
      y = conv2.forward(kept)
      tape.push(kept)
    } else {
      y = conv2.forward(s2)
    }
    if let shortcut {
      shortcut.forward(s1, addingTo: &y)
    } else {
      y.add(s1)
    }
    tape.push(s2)
    tape.push(s1)
    return y
  }

  func backward(_ gy: consuming Tensor, _ tape: inout Tape) -> Tensor {
    let s1 = tape.popSpikes()
    let s2 = tape.popSpikes()
    let gy = SharedTensor(gy)
    var g: Tensor
    if dropout != nil {
      let kept = tape.popSpikes()
      g = conv2.backward(gy.tensor, input: kept)
    } else {
      g = conv2.backward(gy.tensor, input: s2)
    }
    g = lif2.backward(
      g, dropout: dropout?.mask(samples: s2.shape.n, tape), spikes: s2, &tape)
    g = conv1.backward(g, input: s1)
    let past = shortcut.map { SharedTensor($0.backward(gy.tensor, input: s1)) } ?? gy
    return lif1.backward(g, more: past, spikes: s1, &tape)
  }
}

/// Pre-activation spiking ResNet with batch norm and a 3x3 stem, for small images (He et al., ECCV 2016;
/// spiking form and names as in the published SLTT code).
final class PreActivationResNet: NetworkBody {
  private let conv1: Convolution2D
  private let blocks: [PreActivationBlock]
  private let lif1: LIFNeuron
  private let pool: AveragePool
  private let dropout: Dropout?
  private let linear: Linear

  /// - Precondition: `specification.problem` is `nil`.
  init(_ builder: NetworkBuilder) {
    let specification = builder.specification
    conv1 = builder.add(
      Convolution2D(
        "conv1", input: specification.input, outputs: specification.width,
        SlidingWindow(kernel: 3, padding: 1), hasBias: false, readsSpikes: false, builder))
    builder.endSection()
    var blocks: [PreActivationBlock] = []
    var shape = conv1.output
    for (stage, count) in specification.blocks.enumerated() {
      for index in 0..<count {
        let block = PreActivationBlock(
          "layer\(stage + 1).\(index)", input: shape, outputs: specification.planes(ofStage: stage),
          stride: stage > 0 && index == 0 ? 2 : 1, builder)
        builder.endSection()
        blocks.append(block)
        shape = block.output
      }
    }
    self.blocks = blocks
    let bn1 = BatchNorm("bn1", channels: shape.c, builder)
    lif1 = builder.add(LIFNeuron("relu1", input: shape, normalization: bn1, builder))
    pool = builder.add(
      AveragePool(
        "pool", AveragePooling(input: shape, window: SlidingWindow(kernel: 4, stride: 4)), builder))
    dropout = builder.dropout("drop", input: pool.output, dropsSpikes: false)
    linear = builder.add(
      Linear(
        "linear", input: pool.output, outputs: specification.classes,
        weight: .uniform(fanIn: pool.output.count), bias: .constant(0), builder))
    builder.endSection()
  }

  func stem(_ frame: borrowing Tensor) -> Tensor { conv1.forward(frame) }

  func forward(_ stem: SharedTensor, _ tape: inout Tape) -> Tensor {
    var x = stem
    for block in blocks { x = SharedTensor(block.forward(x, &tape)) }
    let spikes = lif1.forward(x, &tape)
    var features = pool.forward(spikes)
    tape.push(spikes)
    if let dropout { features = dropout.forward(features, &tape) }
    return linear.forward(features, &tape)
  }

  func backward(
    _ gradient: consuming Tensor, _ tape: inout Tape, _ endSection: () -> Void
  ) -> Tensor {
    var g = linear.backward(gradient, &tape)
    if let dropout { g = dropout.backward(g, tape) }
    g = pool.backward(g)
    let spikes = tape.popSpikes()
    g = lif1.backward(g, spikes: spikes, &tape)
    endSection()
    for block in blocks.reversed() {
      g = block.backward(g, &tape)
      endSection()
    }
    return g
  }

  func backwardStem(_ gradient: borrowing Tensor, frame: borrowing Tensor) {
    conv1.backwardWeights(gradient, input: frame)
  }
}
