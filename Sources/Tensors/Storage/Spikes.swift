/// Spikes of one or several bit planes, [N, H, W, C]. An element stands for the sum of the amplitudes of
/// the planes that have a spike there, so spikes of several levels and sums of spikes are the same kind
/// of thing.
///
/// Kernels read one plane at a time, as if there were no other: what they compute is linear, and adds up over
/// the planes. Each plane has owners of its own, so that a sum shares the planes of its terms.
public struct Spikes {
  /// One or more, of the same shape.
  public let planes: [SharedSpikes]

  /// - Precondition: there is a plane, and all have the same shape.
  public init(planes: [SharedSpikes]) {
    precondition(!planes.isEmpty, "spikes without a plane")
    precondition(planes.allSatisfy { $0.spikes.shape == planes[0].spikes.shape })
    self.planes = planes
  }

  /// Spikes of one plane.
  public init(_ plane: consuming SpikeTensor) { planes = [SharedSpikes(plane)] }

  /// Samples, height, width, channels.
  public var shape: Shape { planes[0].spikes.shape }

  /// What the spikes stand for, as floats.
  public func unpacked(in arena: Arena) -> Tensor {
    var values = planes[0].spikes.unpacked(in: arena)
    for plane in planes.dropFirst() { values.add(plane.spikes) }
    return values
  }
}

/// A plane of spikes with several owners: the neurons that fired and the layers that read them.
public final class SharedSpikes {
  public let spikes: SpikeTensor

  public init(_ spikes: consuming SpikeTensor) {
    self.spikes = spikes
  }
}

extension Tensor {
  /// Adds what the spikes stand for.
  public mutating func add(_ spikes: Spikes) {
    for plane in spikes.planes { add(plane.spikes) }
  }
}
