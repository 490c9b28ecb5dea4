/// Spikes of one or several bit planes, [N, H, W, C]. An element stands for the sum of the amplitudes of
/// the planes that have a spike there, so spikes of several levels and sums of spikes are the same kind
/// of thing.
///
/// Kernels read one plane at a time, as if there were no other: what they compute is linear, and adds up over
/// the planes. Each plane has owners of its own, so that a sum shares the planes of its terms.
public struct Spikes {
  /// One or more, of the same shape.
  public let planes: [SharedSpikes]
  /// The most spikes that an element may have, where plane p has 2^p times the amplitude of the first: an
  /// element is then a binary number of spikes. `nil`: amplitudes are others.
  public let levels: Int?

  /// - Precondition: there is a plane, and all have the same shape.
  public init(planes: [SharedSpikes], levels: Int? = nil) {
    precondition(!planes.isEmpty, "spikes without a plane")
    precondition(planes.allSatisfy { $0.spikes.shape == planes[0].spikes.shape })
    precondition(levels.map { Self.planes(levels: $0) == planes.count } ?? true)
    self.planes = planes
    self.levels = levels
  }

  /// Spikes of one plane.
  public init(_ plane: consuming SpikeTensor) {
    self.init(planes: [SharedSpikes(plane)], levels: 1)
  }

  /// Planes that hold numbers up to `levels`.
  public static func planes(levels: Int) -> Int { Int.bitWidth - levels.leadingZeroBitCount }

  /// Planes with undefined content for numbers of spikes that stand for `amplitude` each.
  init(_ shape: Shape, levels: Int, amplitude: Float, in arena: Arena) {
    self.init(
      planes: (0..<Self.planes(levels: levels)).map {
        SharedSpikes(SpikeTensor(shape, amplitude: amplitude * Float(1 << $0), in: arena))
      }, levels: levels)
  }

  /// Samples, height, width, channels.
  public var shape: Shape { planes[0].spikes.shape }

  /// What a spike of the first plane stands for.
  var amplitude: Float { planes[0].spikes.amplitude }

  /// The number of spikes; of numbers in several planes, their sum.
  public var count: Int {
    planes.enumerated().reduce(0) { sum, plane in
      sum + plane.element.spikes.spikeCount << (levels == nil ? 0 : plane.offset)
    }
  }

  /// What the spikes stand for, as floats.
  public func unpacked(in arena: Arena) -> Tensor {
    var values = planes[0].spikes.unpacked(in: arena)
    for plane in planes.dropFirst() { values.add(plane.spikes) }
    return values
  }

  /// The sum of both. Where all are numbers of equal spikes it takes as few planes as it can.
  public func adding(_ other: Spikes, in arena: Arena) -> Spikes {
    guard let levels, let others = other.levels, amplitude == other.amplitude else {
      return Spikes(planes: planes + other.planes)
    }
    let sum = Spikes(shape, levels: levels + others, amplitude: amplitude, in: arena)
    let (a, b, result) = (words, other.words, sum.words)
    parallelFor(SpikeTensor.bytes(shape) / 8, grain: 8192) { _, part in
      for word in part {
        var carry: UInt64 = 0
        for plane in result.indices {
          let x = plane < a.count ? a[plane][word] : 0
          let y = plane < b.count ? b[plane][word] : 0
          result[plane][word] = x ^ y ^ carry
          carry = x & y | carry & (x ^ y)
        }
      }
    }
    sum.countSpikes()
    return sum
  }

  /// Of each plane.
  var words: [UnsafeMutablePointer<UInt64>] { planes.map { $0.spikes.words } }

  /// Sets the numbers of spikes of the planes to those of their bits.
  func countSpikes() { for plane in planes { plane.spikes.countSpikes() } }
}

/// A plane of spikes with several owners: the neurons that fired and the layers that read them.
public final class SharedSpikes {
  public internal(set) var spikes: SpikeTensor

  public init(_ spikes: consuming SpikeTensor) {
    self.spikes = spikes
  }
}

extension Tensor {
  /// Adds what the spikes stand for.
  ///
  /// - Parameter decay: multiplies what was there before.
  public mutating func add(_ spikes: Spikes, afterTimes decay: Float = 1) {
    for (index, plane) in spikes.planes.enumerated() {
      add(plane.spikes, afterTimes: index == 0 ? decay : 1)
    }
  }
}
