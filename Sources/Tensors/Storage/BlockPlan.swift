/// Where a pass's blocks go: best together, as all that it will ask for is known from an earlier pass.
///
/// The largest blocks are placed first, each at the lowest place that is free for as long as it lives. The
/// pass may differ from the plan: what is not in it has no place, and what is no longer asked for is
/// skipped.
struct BlockPlan {
  /// How many blocks can be skipped at a time: those of a layer that takes another kernel.
  private static let mostSkipped = 32

  /// In the order of the pass.
  private let places: [(offset: Int, size: Int)]
  /// Bytes from the first block's start to the last one's end.
  let bytes: Int
  private var next = 0

  init(for trace: BlockTrace) {
    let requests = trace.requests
    var places = requests.map { (offset: 0, size: $0.size) }
    // Ascending by offset.
    var placed: [(range: Range<Int>, lifetime: Range<Int>)] = []
    let largestFirst = requests.indices.sorted {
      (requests[$1].size, $0) < (requests[$0].size, $1)
    }
    for index in largestFirst {
      let request = requests[index]
      var offset = 0
      for other in placed where other.lifetime.overlaps(request.lifetime) {
        if other.range.lowerBound >= offset + request.size { break }
        offset = max(offset, other.range.upperBound)
      }
      places[index].offset = offset
      let range = offset..<offset + request.size
      let position = placed.firstIndex { $0.range.lowerBound >= offset }
      placed.insert((range, request.lifetime), at: position ?? placed.endIndex)
    }
    self.places = places
    bytes = placed.reduce(0) { max($0, $1.range.upperBound) }
  }

  /// Says that the pass begins again.
  mutating func restart() {
    next = 0
  }

  /// The offset of the next block that the pass asks for; nil: it is not in the plan.
  mutating func place(ofNext size: Int) -> Int? {
    let soon = places[next...].prefix(Self.mostSkipped)
    guard let found = soon.firstIndex(where: { $0.size == size }) else { return nil }
    next = found + 1
    return places[found].offset
  }
}
