import Distributed
import Foundation

/// What an all-reduce costs on many ranks.
///
/// Recursive halving and doubling, as Open MPI does it with large messages on many ranks (Rabenseifner,
/// ICCS 2004): of n ranks, each sends and receives every chunk in 2 log2 n messages, together
/// 2 (n - 1) / n of the bytes:
///
///     seconds = 2 log2(n) chunks latency + 2 (n - 1) / n bytes / bandwidth
///
/// In bfloat16, each rank exchanges its parts of a chunk with every other, and then gathers the sums by
/// doubling: n - 1 + log2 n messages.
struct ScalingModel: Encodable, Equatable {
  /// Seconds of a message, however short.
  var latency: Double
  /// Bytes a second over a rank's link, in either direction.
  var bandwidth: Double
  /// The numbers that travel.
  var wire = WireFormat.float32

  /// A measured all-reduce.
  struct Sample {
    var ranks, bytes, chunks: Int
    var seconds: Double
  }

  /// - Parameter chunks: into which the bytes are divided.
  func seconds(ranks: Int, bytes: Int, chunks: Int) -> Double {
    latency * Self.messages(ranks, chunks, wire) + Self.bytesSent(ranks, bytes) / bandwidth
  }

  /// Images a second of a rank against those of a rank alone, where each rank's batch stays the same.
  ///
  /// - Parameter stepSeconds: of an iteration of one rank alone.
  func weakEfficiency(ranks: Int, bytes: Int, chunks: Int, stepSeconds: Double) -> Double {
    stepSeconds / (stepSeconds + seconds(ranks: ranks, bytes: bytes, chunks: chunks))
  }

  private static func messages(_ ranks: Int, _ chunks: Int, _ wire: WireFormat) -> Double {
    let ofAChunk =
      switch wire {
      case .float32: 2 * log2(Double(ranks))
      case .bfloat16: Double(ranks - 1) + log2(Double(ranks))
      }
    return ofAChunk * Double(chunks)
  }

  private static func bytesSent(_ ranks: Int, _ bytes: Int) -> Double {
    2 * Double(ranks - 1) / Double(ranks) * Double(bytes)
  }

  /// Latency and bandwidth that explain measured times best: least squares of relative errors, neither
  /// below 0. `nil` without samples of several ranks.
  static func fit(_ samples: [Sample], wire: WireFormat = .float32) -> ScalingModel? {
    // t = latency m + inverse b, divided by t.
    var (mm, mb, bb, m1, b1) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for sample in samples where sample.ranks > 1 && sample.seconds > 0 {
      let m = messages(sample.ranks, sample.chunks, wire) / sample.seconds
      let b = bytesSent(sample.ranks, sample.bytes) / sample.seconds
      mm += m * m
      mb += m * b
      bb += b * b
      m1 += m
      b1 += b
    }
    guard bb > 0 else { return nil }
    let determinant = mm * bb - mb * mb
    // Samples that are all alike in shape cannot tell the two apart.
    var latency = determinant > 1e-9 * mm * bb ? (m1 * bb - b1 * mb) / determinant : 0
    var inverse = (b1 - latency * mb) / bb
    if latency < 0 { (latency, inverse) = (0, b1 / bb) }
    if inverse <= 0 { (latency, inverse) = (m1 / mm, .leastNormalMagnitude) }
    return ScalingModel(latency: latency, bandwidth: 1 / inverse, wire: wire)
  }
}
