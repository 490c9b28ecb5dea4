import Foundation
import Support

/// Memory for tensors that live for part of an iteration: one reserved range of addresses, handed out
/// first fit from below.
///
/// Every iteration asks for the same blocks in the same order, so after the first one the arena no
/// longer grows and the operating system is not asked again. Not thread-safe: tensors are made and
/// released on the thread that runs the iteration.
public final class Arena {
  /// Blocks start on cache lines.
  static let alignment = 64
  /// The arena grows by whole steps of this many bytes (a multiple of the huge page size).
  private static let growth = 4 << 20

  private let base: UnsafeMutableRawPointer
  private let reserved: Int
  private var committed = 0
  /// Unused ranges of offsets below `committed`, ascending, never adjacent.
  private var free: [Range<Int>] = []

  /// Bytes in blocks that are in use.
  public private(set) var bytesInUse = 0
  /// The most bytes that were ever in use.
  public private(set) var peakBytes = 0
  /// Bytes obtained from the operating system.
  public var committedBytes: Int { committed }

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
    free.reserveCapacity(256)
  }

  deinit {
    munmap(base, reserved)
  }

  /// A block of at least `bytes` bytes; its content is undefined.
  func allocate(bytes: Int) -> UnsafeMutableRawPointer {
    let size = Self.blockSize(bytes)
    if !free.contains(where: { $0.count >= size }) { grow(for: size) }
    let index = free.firstIndex { $0.count >= size }!
    let offset = free[index].lowerBound
    if free[index].count == size {
      free.remove(at: index)
    } else {
      free[index] = offset + size..<free[index].upperBound
    }
    bytesInUse += size
    peakBytes = max(peakBytes, bytesInUse)
    return base + offset
  }

  /// Takes back a block that `allocate(bytes:)` gave for the same number of bytes.
  func release(_ block: UnsafeMutableRawPointer, bytes: Int) {
    let size = Self.blockSize(bytes)
    let offset = block - base
    bytesInUse -= size
    insert(offset..<offset + size)
  }

  private static func blockSize(_ bytes: Int) -> Int {
    (max(bytes, 1) + alignment - 1) / alignment * alignment
  }

  private func grow(for size: Int) {
    let tail = free.last.map { $0.upperBound == committed ? $0.count : 0 } ?? 0
    let step = (size - tail + Self.growth - 1) / Self.growth * Self.growth
    guard committed + step <= reserved,
      mprotect(base + committed, step, PROT_READ | PROT_WRITE) == 0
    else {
      Exhaustion.end(
        "out of memory: \(committed + step) bytes of activations do not fit;"
          + " use a smaller global batch, more ranks, or a smaller network")
    }
    committed += step
    insert(committed - step..<committed)
  }

  private func insert(_ range: Range<Int>) {
    var range = range
    var index = free.firstIndex { $0.lowerBound >= range.lowerBound } ?? free.endIndex
    if index < free.endIndex, free[index].lowerBound == range.upperBound {
      range = range.lowerBound..<free.remove(at: index).upperBound
    }
    if index > 0, free[index - 1].upperBound == range.lowerBound {
      index -= 1
      range = free.remove(at: index).lowerBound..<range.upperBound
    }
    free.insert(range, at: index)
  }
}
