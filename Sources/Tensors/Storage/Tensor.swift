/// Floats in NHWC layout. It owns a block of an arena and gives it back at the end of its life.
///
/// A pass that makes the elements may round them to bfloat16 in the same breath, for the convolution
/// that reads them next. Whatever changes elements afterwards drops those.
public struct Tensor: ~Copyable {
  /// Samples, height, width, channels.
  public private(set) var shape: Shape
  let pointer: UnsafeMutablePointer<Float>
  /// The elements in bfloat16, if at hand.
  private(set) var rounded: BFloat16Block?
  /// Where the memory came from; `nil` for a view of memory that somebody else owns.
  private let arena: Arena?

  /// A tensor with undefined content.
  public init(_ shape: Shape, in arena: Arena) {
    self.shape = shape
    self.arena = arena
    pointer = arena.allocate(bytes: shape.count * MemoryLayout<Float>.stride)
      .assumingMemoryBound(to: Float.self)
  }

  /// A tensor with the given elements, in the order of memory.
  public init(_ shape: Shape, _ elements: [Float], in arena: Arena) {
    precondition(elements.count == shape.count, "\(elements.count) elements for shape \(shape)")
    self.init(shape, in: arena)
    pointer.update(from: elements, count: elements.count)
  }

  private init(viewOf pointer: UnsafeMutablePointer<Float>, _ shape: Shape) {
    self.shape = shape
    self.pointer = pointer
    arena = nil
  }

  deinit {
    arena?.release(pointer, bytes: shape.count * MemoryLayout<Float>.stride)
  }

  /// Bytes of the elements.
  public var bytes: Int { shape.count * MemoryLayout<Float>.stride }

  /// The element at `index` in the order of memory.
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < shape.count)
      return pointer[index]
    }
    set {
      precondition(index >= 0 && index < shape.count)
      rounded = nil
      pointer[index] = newValue
    }
  }

  /// The elements in the order of memory.
  public var elements: [Float] {
    Array(UnsafeBufferPointer(start: pointer, count: shape.count))
  }

  /// Calls `body` with the elements in the order of memory, without copying them.
  public borrowing func withUnsafeBufferPointer<Result>(
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    try body(UnsafeBufferPointer(start: pointer, count: shape.count))
  }

  /// Calls `body` with `count` samples from `first` on, without copying them.
  public borrowing func withSamples<Result: ~Copyable>(
    from first: Int, count: Int, _ body: (borrowing Tensor) throws -> Result
  ) rethrows -> Result {
    precondition(first >= 0 && count >= 0 && first + count <= shape.n)
    let view = Tensor(
      viewOf: pointer + first * (shape.h * shape.w * shape.c), shape.withSamples(count))
    return try body(view)
  }

  /// Memory of somebody else as a tensor, without copying it. The memory must outlive the tensor and
  /// must not be written to through it.
  public init(viewOf memory: UnsafeBufferPointer<Float>, _ shape: Shape) {
    precondition(memory.count >= shape.count, "\(memory.count) elements for shape \(shape)")
    self.init(viewOf: UnsafeMutablePointer(mutating: memory.baseAddress!), shape)
  }

  /// A tensor from elements in the order of PyTorch: samples, channels, height, width.
  public init(nchw elements: [Float], _ shape: Shape, in arena: Arena) {
    precondition(elements.count == shape.count, "\(elements.count) elements for shape \(shape)")
    self.init(shape, in: arena)
    let pixels = shape.h * shape.w
    for image in 0..<shape.n * shape.c {
      let (sample, channel) = image.quotientAndRemainder(dividingBy: shape.c)
      for pixel in 0..<pixels {
        pointer[(sample * pixels + pixel) * shape.c + channel] = elements[image * pixels + pixel]
      }
    }
  }

  /// Says that the elements are about to change, and gives room for rounding them where wanted.
  @discardableResult
  mutating func willChange(rounding: Bool = false) -> UnsafeMutablePointer<UInt16>? {
    if !rounding {
      rounded = nil
    } else if rounded == nil, let arena {
      rounded = BFloat16Block(count: shape.count, in: arena)
    }
    return rounded?.pointer
  }

  /// Gives the same elements another shape of the same count.
  public mutating func reshape(to newShape: Shape) {
    precondition(newShape.count == shape.count, "\(shape) cannot become \(newShape)")
    shape = newShape
  }

  /// A copy in the same order of memory.
  public borrowing func copy(in arena: Arena) -> Tensor {
    let copy = Tensor(shape, in: arena)
    copy.pointer.update(from: pointer, count: shape.count)
    return copy
  }
}
