import Tensors

/// What a layer with weights reads.
enum LayerInput {
  /// The frame, which the caller keeps, and whose gradient nobody wants.
  case frame
  case floats
  /// Spikes that the neurons which fired keep.
  case keptSpikes
  /// Spikes that nobody keeps for the backward pass, as dropout makes them.
  case spikes

  var isSpikes: Bool {
    switch self {
    case .frame, .floats: false
    case .keptSpikes, .spikes: true
    }
  }

  /// Bytes that the layer adds to the tape by keeping an input of this shape.
  func keptBytes(_ shape: Shape) -> Int {
    switch self {
    case .frame, .keptSpikes: 0
    case .floats: shape.count * 4
    case .spikes: SpikeTensor.bytes(shape)
    }
  }
}
