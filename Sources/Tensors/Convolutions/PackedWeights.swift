/// A copy of a convolution's weights in the order of a kernel, made when first needed after they changed, or
/// for each pass.
final class PackedWeights {
  let size: Scratch.Size
  private let isKept: Bool
  private var buffer: FlatBuffer?
  private var isCurrent = false

  /// - Parameter isKept: whether the copy stays for the next pass.
  init(_ size: Scratch.Size, isKept: Bool) {
    (self.size, self.isKept) = (size, isKept)
  }

  /// Bytes that are held from one pass to the next.
  var heldBytes: Int { isKept ? size.bytes : 0 }

  /// Bytes that a pass takes for the copy.
  var scratchBytes: Int { isKept ? 0 : size.bytes }

  func weightsDidChange() { isCurrent = false }

  /// Calls `body` with the copy.
  ///
  /// - Parameter pack: makes it.
  func with(
    in arena: Arena, pack: (UnsafeMutablePointer<Float>) -> Void,
    _ body: (UnsafePointer<Float>) -> Void
  ) {
    guard isKept else {
      let copy = Scratch(size, arena)
      pack(copy[0])
      return body(copy[0])
    }
    let buffer = buffer ?? FlatBuffer(count: size.floats)
    self.buffer = buffer
    if !isCurrent {
      pack(buffer.pointer)
      isCurrent = true
    }
    body(buffer.pointer)
  }
}
