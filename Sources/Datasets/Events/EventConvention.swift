/// Whose reading of CIFAR10-DVS counts, which its authors published without a split. Networks that were
/// trained by one are at a loss with recordings read by the other, whose frames lie on their side. Of
/// the other data sets there is one reading.
public enum EventConvention: String, CaseIterable, Sendable {
  /// SpikingJelly's: the column is 127 less bits 8 to 14 of the address, the row 127 less bits 1 to 7;
  /// of each class the first nine tenths by name (rounded up) are for training, the rest for
  /// validation, as `split_to_train_test_set(0.9, …)` does it.
  case spikingJelly = "spikingjelly"
  /// That of the published SLTT code: the column is 127 less bits 1 to 7, the row bits 8 to 14; of each
  /// class the recordings with the first nine tenths of the numbers, 0 to 899, are for training, 900 to
  /// 999 for validation.
  case sltt

  /// The pixel of an address.
  @inline(__always)
  func pixel(ofAddress address: UInt32) -> (x: Int, y: Int) {
    let (low, high) = (Int(address >> 1 & 0x7F), Int(address >> 8 & 0x7F))
    return switch self {
    case .spikingJelly: (127 - high, 127 - low)
    case .sltt: (127 - low, high)
    }
  }

  /// The files of a split.
  ///
  /// - Parameters:
  ///   - names: of a class.
  ///   - folder: where they are, for messages.
  func files(
    of split: EventSplit, among names: [String], in folder: String
  ) throws(DatasetError) -> [String] {
    let isTraining = split == .training
    switch self {
    case .spikingJelly:
      let sorted = names.sortedByBytes()
      let count = (sorted.count * 9 + 9) / 10
      return Array(isTraining ? sorted.prefix(count) : sorted.dropFirst(count))
    case .sltt:
      var numbered: [(number: Int, name: String)] = []
      for name in names {
        guard let number = Self.number(inName: name) else {
          throw .malformed(
            sample: folder + "/" + name,
            reason: "its name does not end in a number, by which data.convention = sltt splits")
        }
        numbered.append((number, name))
      }
      let end = (numbered.map(\.number).max() ?? 0) + 1
      return numbered.filter { ($0.number * 10 < end * 9) == isTraining }
        .sorted { ($0.number, $0.name) < ($1.number, $1.name) }.map(\.name)
    }
  }

  /// The 12 of `cifar10_cat_12.aedat`.
  private static func number(inName name: String) -> Int? {
    let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name[...]
    let digits = stem.reversed().prefix { ("0"..."9").contains($0) }
    return digits.count > 9 ? nil : Int(String(digits.reversed()))
  }
}
