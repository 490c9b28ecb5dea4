import Foundation
import Support

/// Which class a label of a shard stands for.
struct ShardClasses {
  /// Class names, by position.
  let names: [String]
  /// The numbers that stand for the positions in the shards; `nil`: the positions themselves.
  let numbers: [Int]?
  /// The file that names the classes, if one does.
  let file: String?
  private let positions: [ShardScan.Label: Int]

  /// Files in which people write the names of classes, a line each.
  private static let files = ["classes.txt", "class_names.txt", "labels.txt"]

  /// - Parameters:
  ///   - names: by position.
  ///   - numbers: as the property.
  init(names: [String], numbers: [Int]?, file: String? = nil) {
    (self.names, self.numbers, self.file) = (names, numbers, file)
    var positions: [ShardScan.Label: Int] = [:]
    for (position, name) in names.enumerated() {
      positions[.name(name)] = position
      positions[.number(numbers?[position] ?? position)] = position
    }
    self.positions = positions
  }

  /// The classes that a file in the directory names, or one for each number among the labels, in their
  /// order.
  init(directory: String, labels: Set<ShardScan.Label>) throws(DatasetError) {
    let there = Set(try onFiles(directoryEntries(directory)))
    if let file = Self.files.first(where: there.contains) {
      self.init(names: try classNames(in: directory + "/" + file), numbers: nil, file: file)
      return
    }
    var numbers: [Int] = []
    for label in labels {
      guard case .number(let number) = label, number >= 0 else {
        throw .unusableShard(
          path: directory,
          reason:
            "the label \(label) is no number from 0, and no file classes.txt names the classes")
      }
      numbers.append(number)
    }
    numbers.sort()
    let arePositions = numbers == Array(numbers.indices)
    self.init(names: numbers.map(String.init), numbers: arePositions ? nil : numbers)
  }

  /// - Returns: `nil` if the label stands for no class.
  func position(of label: ShardScan.Label) -> Int? { positions[label] }
}
