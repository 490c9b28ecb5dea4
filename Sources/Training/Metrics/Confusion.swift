import Distributed

/// Samples by label and predicted class. Of tens of thousands of classes few pairs occur, so only these are
/// kept.
package struct Confusion: Equatable, Sendable {
  let classes: Int
  /// Of the network, which may have more than there are classes.
  let outputs: Int
  /// By `label * outputs + predicted`; none is 0.
  private var counts: [Int: Int] = [:]
  /// Samples by predicted output.
  private(set) var predicted: [Int]

  /// Counts that are added up over the ranks at a time.
  private static let sliceLength = 1 << 18

  init(classes: Int, outputs: Int) {
    (self.classes, self.outputs) = (classes, outputs)
    predicted = [Int](repeating: 0, count: outputs)
  }

  package subscript(label: Int, output: Int) -> Int { counts[label * outputs + output] ?? 0 }

  /// Samples of a label by output.
  package func row(_ label: Int) -> [Int] { (0..<outputs).map { self[label, $0] } }

  /// What occurs, in no order.
  package var pairs: [(label: Int, predicted: Int, count: Int)] {
    counts.map { ($0 / outputs, $0 % outputs, $1) }
  }

  mutating func add(label: Int, predicted output: Int, count: Int = 1) {
    counts[label * outputs + output, default: 0] += count
    predicted[output] += count
  }

  /// What all ranks counted. A collective.
  func together(_ communicator: any Communicator) throws -> Confusion {
    guard communicator.size > 1 else { return self }
    var all = Confusion(classes: classes, outputs: outputs)
    let size = classes * outputs
    for start in stride(from: 0, to: size, by: Self.sliceLength) {
      let slice = start..<min(start + Self.sliceLength, size)
      let sums = try communicator.sum(slice.map { counts[$0] ?? 0 })
      for (index, count) in zip(slice, sums) where count > 0 {
        all.add(label: index / outputs, predicted: index % outputs, count: count)
      }
    }
    return all
  }
}

extension Confusion: Encodable {
  /// A row for each class.
  package func encode(to encoder: any Encoder) throws {
    var rows = encoder.unkeyedContainer()
    for label in 0..<classes { try rows.encode(row(label)) }
  }
}
