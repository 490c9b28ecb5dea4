import Tensors

/// What a layer with weights reads.
struct LayerInput {
  var content: Content
  /// The neurons whose spikes these are, or the pooled ones of; `nil`: they come from none, or from several.
  var source: (any NeuronLayer)?
  /// The most spikes of an element, where it is spikes.
  var levels = 1

  init(_ content: Content, from source: (any NeuronLayer)? = nil, levels: Int = 1) {
    (self.content, self.source, self.levels) = (content, source, levels)
  }

  var isSpikes: Bool { content.isSpikes }

  /// Bit planes of spikes; 0: floats.
  var planes: Int { isSpikes ? Spikes.planes(levels: levels) : 0 }

  /// Bytes that the layer adds to the tape by keeping an input of this shape.
  func keptBytes(_ shape: Shape) -> Int {
    switch content {
    case .frame, .keptSpikes: 0
    case .floats: shape.count * 4
    case .spikes: planes * SpikeTensor.bytes(shape)
    }
  }

  /// Bytes of the trace of an input of this shape.
  func traceBytes(_ shape: Shape) -> Int { source == nil ? 0 : shape.count * 4 }

  /// Bytes that the layer adds to the tape in a pass through averages. Those of neurons are theirs.
  func averagesBytes(_ shape: Shape) -> Int {
    switch content {
    case .frame: 0
    case .floats: shape.count * 4
    case .keptSpikes, .spikes: source == nil ? shape.count * 4 : 0
    }
  }
}

extension LayerInput {
  enum Content {
    /// The frame, which the caller keeps, and whose gradient nobody wants.
    case frame
    case floats
    /// Spikes that another layer keeps for the backward pass.
    case keptSpikes
    /// Spikes that nobody else keeps.
    case spikes

    var isSpikes: Bool {
      switch self {
      case .frame, .floats: false
      case .keptSpikes, .spikes: true
      }
    }
  }
}
