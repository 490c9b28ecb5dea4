import Distributed
import Tensors

/// What ranks tell each other about themselves in an iteration. It travels in the tail of the gradients'
/// all-reduce, where each rank has numbers of its own that stay 0 on the others; so all ranks know the
/// same and decide the same.
struct RankReports {
  /// What one rank says.
  struct Report {
    /// Whether a signal has asked this rank to stop the run.
    var wantsStop = false
    /// Whether this rank's clock says that a checkpoint is due.
    var wantsCheckpoint = false
    /// Of its weights at the start of the iteration, in iterations that compare them.
    var weightHash: UInt64?
    /// What is not finite in its part of the batch.
    var nonFinite: NonFinite?
  }

  /// Something that is not a finite number.
  enum NonFinite: Equatable {
    /// The loss, with finite gradients.
    case loss
    /// The gradient of the parameter with this number, in the order of the forward pass; the first.
    case gradient(parameter: Int)
  }

  let reports: [Report]

  /// Numbers of the tail for so many ranks.
  static func count(ranks: Int) -> Int { ranks * stride }

  private static let stride = 8
  private static let bitsOfPart = 16

  /// Writes a rank's numbers to its part of the tail; the rest must be 0.
  static func write(_ report: Report, rank: Int, to view: FloatView) {
    let part = view[rank * stride..<(rank + 1) * stride]
    part[0] = report.wantsStop ? 1 : 0
    part[1] = report.wantsCheckpoint ? 1 : 0
    part[2] =
      switch report.nonFinite {
      case nil: 0
      case .loss: -1
      case .gradient(let parameter): Float(parameter + 1)
      }
    guard let hash = report.weightHash else { return }
    // In pieces that are exact as floats.
    part[3] = 1
    for piece in 0..<4 {
      part[4 + piece] = Float(UInt16(truncatingIfNeeded: hash >> UInt64(piece * bitsOfPart)))
    }
  }

  /// Reads the numbers of all ranks.
  init(from view: FloatView) {
    reports = (0..<view.count / Self.stride).map { rank in
      let part = view[rank * Self.stride..<(rank + 1) * Self.stride]
      let hash = (0..<4).reduce(UInt64(0)) { hash, piece in
        hash | UInt64(part[4 + piece]) << UInt64(piece * Self.bitsOfPart)
      }
      let nonFinite: NonFinite? =
        switch part[2] {
        case 0: nil
        case -1: .loss
        default: .gradient(parameter: Int(part[2]) - 1)
        }
      return Report(
        wantsStop: part[0] > 0, wantsCheckpoint: part[1] > 0,
        weightHash: part[3] > 0 ? hash : nil, nonFinite: nonFinite)
    }
  }

  /// Whether any rank wants the run to stop.
  var wantStop: Bool { reports.contains(where: \.wantsStop) }

  /// Whether any rank wants a checkpoint.
  var wantCheckpoint: Bool { reports.contains(where: \.wantsCheckpoint) }

  /// The first rank with something that is not finite, and what it is.
  var nonFinite: (rank: Int, what: NonFinite)? {
    for (rank, report) in reports.enumerated() {
      if let what = report.nonFinite { return (rank, what) }
    }
    return nil
  }

  /// - Throws: `ReplicaMismatch` where hashes were sent and differ.
  func checkReplicas(_ what: String) throws {
    let hashes = reports.compactMap(\.weightHash)
    guard let first = hashes.first, !hashes.allSatisfy({ $0 == first }) else { return }
    throw ReplicaMismatch(what: what, hashes: hashes)
  }
}
