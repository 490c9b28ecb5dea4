import Foundation
import Support

/// One block of floats that lives as long as the network: all weights, all gradients, all momenta.
public final class FlatBuffer {
  /// Number of floats.
  public let count: Int
  let pointer: UnsafeMutablePointer<Float>

  /// Zeros. Memory is taken from the operating system when first written.
  public init(count: Int) {
    self.count = count
    // The large ones begin with whole huge pages; the rest would not fill another one.
    let (bytes, hugePage) = (max(count, 1) * 4, 2 << 20)
    let isLarge = count >= 1 << 23
    var block: UnsafeMutableRawPointer?
    guard posix_memalign(&block, isLarge ? hugePage : 64, bytes) == 0, let block else {
      Exhaustion.end(
        "out of memory: \(bytes) bytes of parameters do not fit; use a smaller network")
    }
    if isLarge { madvise(block, bytes / hugePage * hugePage, MADV_HUGEPAGE) }
    pointer = block.bindMemory(to: Float.self, capacity: count)
    let base = pointer
    // By the threads that will use the parts: on nodes of several sockets, memory is near to who writes it
    // first.
    parallelFor(count, grain: FloatView.grain) { _, part in
      (base + part.lowerBound).initialize(repeating: 0, count: part.count)
    }
  }

  /// A copy of the floats of a view.
  public convenience init(copying view: FloatView) {
    self.init(count: view.count)
    pointer.update(from: view.base, count: count)
  }

  deinit {
    free(pointer)
  }

  /// The floats in `range`, without copying them.
  public subscript(range: Range<Int>) -> FloatView {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return FloatView(owner: self, base: pointer + range.lowerBound, count: range.count)
  }

  /// All floats.
  public var all: FloatView { self[0..<count] }
}

/// A range of a `FlatBuffer`, which it keeps alive. Copies refer to the same memory.
public struct FloatView {
  private let owner: FlatBuffer
  let base: UnsafeMutablePointer<Float>
  /// Number of floats.
  public let count: Int

  init(owner: FlatBuffer, base: UnsafeMutablePointer<Float>, count: Int) {
    self.owner = owner
    self.base = base
    self.count = count
  }

  /// The float at `index`.
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count)
      return base[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  /// The floats in `range`, relative to this view.
  public subscript(range: Range<Int>) -> FloatView {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return FloatView(owner: owner, base: base + range.lowerBound, count: range.count)
  }

  /// A copy of the floats.
  public var elements: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

  /// Whether all floats are 0.
  public var isZero: Bool { UnsafeBufferPointer(start: base, count: count).allSatisfy { $0 == 0 } }

  /// Overwrites the floats.
  public func assign(_ elements: [Float]) {
    precondition(elements.count == count)
    base.update(from: elements, count: count)
  }

  /// `self = factor other`
  public func assign(_ other: FloatView, times factor: Float) {
    precondition(other.count == count)
    let (base, source) = (base, other.base)
    parallelFor(count, grain: Self.grain) { _, part in
      for i in part { base[i] = factor * source[i] }
    }
  }

  /// Gives the floats to another view, and takes its own.
  public func swap(with other: FloatView) {
    precondition(other.count == count)
    let (base, source) = (base, other.base)
    parallelFor(count, grain: Self.grain) { _, part in
      for i in part { (base[i], source[i]) = (source[i], base[i]) }
    }
  }

  /// Overwrites all floats with one value.
  public func fill(_ value: Float) {
    let base = base
    parallelFor(count, grain: Self.grain) { _, part in
      (base + part.lowerBound).update(repeating: value, count: part.count)
    }
  }

  /// Floats that are worth a thread's while.
  fileprivate static let grain = 1 << 16

  /// Calls `body` with the memory, for transport and files.
  public func withUnsafeMutableBufferPointer<Result>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    try body(UnsafeMutableBufferPointer(start: base, count: count))
  }
}
