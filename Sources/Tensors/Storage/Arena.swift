import Foundation
import Support

/// Memory for tensors that live for part of an iteration: one reserved range of addresses.
///
/// Blocks go first fit from below, and leave holes. A pass that is announced goes by a plan instead, which
/// has almost none: it is made of what the first such pass asked for. Unused memory beyond the most that
/// was in use goes back to the operating system, so that the holes of that first pass cost time alone.
/// Not thread-safe: tensors are made and released on the thread that runs the iteration.
public final class Arena {
  /// Blocks start on cache lines.
  static let alignment = 64
  /// The arena grows by whole steps of this many bytes (a multiple of the huge page size).
  private static let growth = 4 << 20
  private static let pageSize = Int(getpagesize())

  private let base: UnsafeMutableRawPointer
  private let reserved: Int
  /// Unused offsets below `committedBytes`.
  private var free = RangeList()
  /// Those of them whose memory the operating system has not got back.
  private var stale = RangeList()
  private var staleBytes = 0
  /// Bytes of unused memory, beyond the most that were in use, that are kept.
  private var spareBytes = spareBytesAtFirst
  private static let spareBytesAtFirst = 1 << 20

  private var plan: BlockPlan?
  /// What a pass asked for that a plan is to be made for.
  private var trace = BlockTrace()
  /// Of the passes that the plan is for.
  private var plannedSamples = 0
  private var stage = Stage.other
  /// Whether the plan for the next pass is to be made of the trace.
  private var wantsPlan = false

  /// What is going on.
  private enum Stage {
    /// A pass that a plan is to be made for.
    case recording
    /// A pass that goes by the plan.
    case planned
    case other
  }

  /// Bytes in blocks that are in use.
  public private(set) var bytesInUse = 0
  /// The most bytes that were ever in use.
  public private(set) var peakBytes = 0
  /// Bytes between the first and the last that were ever in a block, in whole steps.
  public private(set) var committedBytes = 0

  /// - Parameter capacity: bytes of address space to reserve; as much as the machine has memory
  ///   when left out. Reserving costs no memory.
  public init(capacity: Int? = nil) {
    let wanted = capacity ?? Int(ProcessInfo.processInfo.physicalMemory)
    reserved = (wanted + Self.growth - 1) / Self.growth * Self.growth
    let address = mmap(
      nil, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address, address != MAP_FAILED else {
      Exhaustion.end(
        "cannot reserve \(reserved) bytes of address space: \(String(cString: strerror(errno)));"
          + " raise the limit on virtual memory (ulimit -v)")
    }
    base = address
    madvise(base, reserved, MADV_HUGEPAGE)
  }

  deinit {
    munmap(base, reserved)
  }

  /// Announces that a batch is about to go forward and backward. Passes of equally many samples ask for
  /// the same blocks, but where a layer takes another kernel than last time. The plan is for those of the
  /// most samples: others need less memory.
  public func beginPass(samples: Int) {
    if wantsPlan { makePlan() }
    if samples > plannedSamples {
      (plan, plannedSamples, wantsPlan) = (nil, samples, true)
      spareBytes = Self.spareBytesAtFirst
    }
    let isPlanned = samples == plannedSamples && plan != nil
    stage = wantsPlan ? .recording : isPlanned ? .planned : .other
    plan?.restart()
  }

  /// Says that the announced pass has ended.
  public func endPass() {
    stage = .other
  }

  private func makePlan() {
    let plan = BlockPlan(for: trace)
    self.plan = plan.bytes <= committedBytes ? plan : nil
    wantsPlan = false
    trace = BlockTrace()
    releaseUnused()
  }

  /// A block of at least `bytes` bytes; its content is undefined.
  func allocate(bytes: Int) -> UnsafeMutableRawPointer {
    let size = Self.blockSize(bytes)
    let block = plannedRange(size) ?? unplannedRange(size)
    free.remove(block)
    staleBytes -= stale.remove(block)
    bytesInUse += size
    peakBytes = max(peakBytes, bytesInUse)
    if bytesInUse + staleBytes > peakBytes + spareBytes {
      releaseUnused()
      // It takes time, so it must not happen in every pass: those that differ from each other, as of
      // SLTT-K, keep what they need.
      if stage != .recording { spareBytes = reserved }
    }
    if stage == .recording { trace.addAllocation(at: block.lowerBound, size: size) }
    return base + block.lowerBound
  }

  /// Takes back a block that `allocate(bytes:)` gave for the same number of bytes.
  func release(_ block: UnsafeMutableRawPointer, bytes: Int) {
    let size = Self.blockSize(bytes)
    let offset = block - base
    free.insert(offset..<offset + size)
    stale.insert(offset..<offset + size)
    staleBytes += size
    bytesInUse -= size
    if stage == .recording { trace.addRelease(at: offset) }
  }

  private static func blockSize(_ bytes: Int) -> Int {
    (max(bytes, 1) + alignment - 1) / alignment * alignment
  }

  /// Where the plan wants the next block.
  private func plannedRange(_ size: Int) -> Range<Int>? {
    guard stage == .planned, let offset = plan?.place(ofNext: size) else { return nil }
    let wanted = offset..<offset + size
    return free.contains(wanted) ? wanted : nil
  }

  /// The first range that fits: beside the blocks of a plan that is being followed, if there is one.
  private func unplannedRange(_ size: Int) -> Range<Int> {
    let plannedBytes = stage == .planned ? plan!.bytes : 0
    if let range = firstFreeRange(size, from: plannedBytes) ?? firstFreeRange(size) { return range }
    grow(for: size)
    return firstFreeRange(size)!
  }

  private func firstFreeRange(_ size: Int, from first: Int = 0) -> Range<Int>? {
    for range in free.ranges {
      let offset = max(first, range.lowerBound)
      if offset + size <= range.upperBound { return offset..<offset + size }
    }
    return nil
  }

  private func grow(for size: Int) {
    let tail = free.ranges.last.map { $0.upperBound == committedBytes ? $0.count : 0 } ?? 0
    let step = (size - tail + Self.growth - 1) / Self.growth * Self.growth
    guard committedBytes + step <= reserved,
      mprotect(base + committedBytes, step, PROT_READ | PROT_WRITE) == 0
    else {
      Exhaustion.end(
        "out of memory: \(committedBytes + step) bytes of activations do not fit;"
          + " use a smaller global batch, more ranks, or a smaller network")
    }
    free.insert(committedBytes..<committedBytes + step)
    committedBytes += step
  }

  /// Gives memory that is not in use back to the operating system.
  public func releaseUnused() {
    for range in stale.ranges {
      let first = (range.lowerBound + Self.pageSize - 1) / Self.pageSize * Self.pageSize
      let count = range.upperBound / Self.pageSize * Self.pageSize - first
      guard count > 0 else { continue }
      // Mapped anew rather than only emptied, so that it can be made of huge pages again.
      let mapped = mmap(
        base + first, count, PROT_READ | PROT_WRITE,
        MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      guard mapped != MAP_FAILED else {
        Exhaustion.end("cannot map memory anew: \(String(cString: strerror(errno)))")
      }
      madvise(base + first, count, MADV_HUGEPAGE)
    }
    stale.removeAll()
    staleBytes = 0
  }
}
