/// The blocks that a pass asked an arena for, in order.
struct BlockTrace {
  struct Request {
    let size: Int
    /// While it is in use, counted in allocations and releases; without end where it outlives the pass.
    var lifetime: Range<Int>
  }

  private(set) var requests: [Request] = []
  /// By offset.
  private var requestsInUse: [Int: Int] = [:]
  private var time = 0

  mutating func addAllocation(at offset: Int, size: Int) {
    requestsInUse[offset] = requests.count
    requests.append(Request(size: size, lifetime: time..<Int.max))
    time += 1
  }

  /// - Parameter offset: of a block; those that are older than the trace are passed over.
  mutating func addRelease(at offset: Int) {
    guard let request = requestsInUse.removeValue(forKey: offset) else { return }
    requests[request].lifetime = requests[request].lifetime.lowerBound..<time
    time += 1
  }
}
