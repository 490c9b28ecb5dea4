/// Returns a 64-bit hash of the bits of `values`: equal buffers give equal hashes, on every machine and
/// in every run.
///
/// It depends on order and length, and tells 0 from -0. Each step is a bijection of the running state
/// for a given input and of the input for a given state, so buffers that differ within a single pair of
/// floats never collide; others collide with a probability of about 2^-64. Not cryptographic.
public func bitHash(_ values: UnsafeBufferPointer<Float>) -> UInt64 {
  bitHash(UnsafeRawBufferPointer(values), length: values.count)
}

/// The same of any bytes.
public func bitHash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  bitHash(bytes, length: bytes.count)
}

/// - Parameter length: of the buffer in its own elements.
private func bitHash(_ bytes: UnsafeRawBufferPointer, length: Int) -> UInt64 {
  // Four independent lanes, so that the multiplications overlap; each takes two floats a step.
  var lanes = SIMD4<UInt64>(
    0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93)
  let blockBytes = MemoryLayout<SIMD4<UInt64>>.size
  let wholeBytes = bytes.count / blockBytes * blockBytes
  for offset in stride(from: 0, to: wholeBytes, by: blockBytes) {
    let block = bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
    for lane in 0..<4 {
      lanes[lane] = mix(lanes[lane], block[lane])
    }
  }
  var hash = UInt64(length)
  for lane in 0..<4 {
    hash = mix(hash, lanes[lane])
  }
  let wholeWords = bytes.count / 4 * 4
  for offset in stride(from: wholeBytes, to: wholeWords, by: 4) {
    hash = mix(hash, UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
  }
  for byte in bytes[wholeWords...] {
    hash = mix(hash, UInt64(byte))
  }
  return hash ^ (hash >> 29)
}

/// One step: exclusive or, multiplication by an odd constant, and a fold of the high bits into the low
/// ones, which the multiplication alone would leave weak.
@inline(__always)
private func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
  let product = (state ^ word) &* 0x9fb2_1c65_1e98_df25
  return product ^ (product >> 32)
}
