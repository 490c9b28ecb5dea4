import Testing

@testable import Tensors

struct RangeListTests {
  /// Against a plain set of offsets, at random.
  @Test func isASetOfOffsets() {
    var (list, offsets) = (RangeList(), Set<Int>())
    var random = RandomStream(seed: 1, purpose: .augmentation)
    for _ in 0..<2000 {
      let start = random.uniform(below: 60)
      let range = start..<start + 1 + random.uniform(below: 9)
      #expect(list.contains(range) == range.allSatisfy(offsets.contains))
      if offsets.isDisjoint(with: range) {
        list.insert(range)
        offsets.formUnion(range)
      } else {
        #expect(list.remove(range) == offsets.intersection(range).count)
        offsets.subtract(range)
      }
      #expect(list.ranges.flatMap(Array.init) == offsets.sorted())
      let neighbours = zip(list.ranges, list.ranges.dropFirst())
      #expect(neighbours.allSatisfy { $0.upperBound < $1.lowerBound })
    }
    list.removeAll()
    #expect(list.ranges.isEmpty && !list.contains(0..<1))
  }
}
