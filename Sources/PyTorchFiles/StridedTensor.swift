import SafeTensors

/// A file in the archive: the elements of one tensor or of several.
struct TensorStorage: Equatable {
  /// The file's name.
  let key: String
  let type: ElementType
  /// Of its elements.
  let count: Int
}

/// A tensor as a view of a storage.
struct StridedTensor: Equatable {
  let storage: TensorStorage
  /// Of its first element.
  let offset: Int
  let shape: [Int]
  /// Distance of neighbours along each dimension, in elements.
  let strides: [Int]
  /// Of its elements.
  let count: Int

  /// - Returns: `nil` where a view of this kind would leave the storage.
  init?(_ storage: TensorStorage, offset: Int, shape: [Int], strides: [Int]) {
    guard offset >= 0, shape.count == strides.count, storage.count >= 0,
      (shape + strides).allSatisfy({ $0 >= 0 })
    else { return nil }
    var (count, last) = (1, offset)
    for (size, stride) in zip(shape, strides) {
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: size)
      let (extent, isTooLong) = max(0, size - 1).multipliedReportingOverflow(by: stride)
      let (end, isTooFar) = last.addingReportingOverflow(extent)
      guard !isTooLarge, !isTooLong, !isTooFar else { return nil }
      (count, last) = (product, end)
    }
    guard count == 0 || last < storage.count,
      !storage.count.multipliedReportingOverflow(by: storage.type.byteCount).overflow
    else { return nil }
    (self.storage, self.offset, self.shape) = (storage, offset, shape)
    // Along a dimension of 1 there are no neighbours; it may say anything.
    self.strides = zip(shape, strides).map { size, stride in size > 1 ? stride : 0 }
    self.count = count
  }

  /// Whether the elements lie in the storage as they are wanted, as nearly all do.
  private var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() {
      guard size == 1 || stride == expected else { return false }
      expected *= size
    }
    return true
  }

  /// The elements, row-major and little-endian.
  ///
  /// - Parameter bytes: of the storage.
  func elements(of bytes: [UInt8], isBigEndian: Bool) -> [UInt8] {
    let size = storage.type.byteCount
    if isContiguous && !isBigEndian { return Array(bytes[offset * size..<(offset + count) * size]) }
    var elements: [UInt8] = []
    elements.reserveCapacity(count * size)
    var (index, position) = ([Int](repeating: 0, count: shape.count), offset)
    for _ in 0..<count {
      let element = bytes[position * size..<(position + 1) * size]
      if isBigEndian {
        elements.append(contentsOf: element.reversed())
      } else {
        elements.append(contentsOf: element)
      }
      // On to the next element, as an odometer.
      for axis in shape.indices.reversed() {
        index[axis] += 1
        position += strides[axis]
        if index[axis] < shape[axis] { break }
        position -= shape[axis] * strides[axis]
        index[axis] = 0
      }
    }
    return elements
  }
}
