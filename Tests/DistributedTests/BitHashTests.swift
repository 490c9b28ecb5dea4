import Distributed
import Testing

@Suite struct BitHashTests {
  private func hash(_ values: [Float]) -> UInt64 {
    values.withUnsafeBufferPointer { bitHash($0) }
  }

  private func ramp(_ count: Int) -> [Float] { (0..<count).map { Float($0) * 0.37 - 3 } }

  @Test(arguments: [0, 1, 7, 8, 9, 1000])
  func equalBuffersHashAlikeAtAnyAddress(count: Int) {
    let shifted = [Float](repeating: 0, count: 3) + ramp(count)
    let slice = shifted.withUnsafeBufferPointer {
      bitHash(UnsafeBufferPointer(rebasing: $0[3...]))
    }
    #expect(slice == hash(ramp(count)))
  }

  @Test func everySingleBitCounts() {
    let values = ramp(19)
    var hashes: Set = [hash(values)]
    for index in values.indices {
      for bit in 0..<32 {
        var changed = values
        changed[index] = Float(bitPattern: values[index].bitPattern ^ 1 << bit)
        hashes.insert(hash(changed))
      }
    }
    #expect(hashes.count == 1 + 19 * 32)
  }

  @Test func orderCounts() {
    let values = ramp(100)
    var hashes: Set = [hash(values)]
    for first in values.indices {
      for second in values.indices where second > first {
        var swapped = values
        swapped.swapAt(first, second)
        hashes.insert(hash(swapped))
      }
    }
    #expect(hashes.count == 1 + 100 * 99 / 2)
  }

  @Test func lengthAndSignOfZeroCount() {
    let zeros = (0...40).map { hash([Float](repeating: 0, count: $0)) }
    #expect(Set(zeros).count == 41)
    #expect(hash([0]) != hash([-0.0]))
  }

  /// Ranks on different machines compare hashes. The number comes from a separate program.
  @Test func theValueIsFixed() {
    #expect(hash(ramp(21)) == 0x92b8_a880_cccb_0bcc)
  }

  @Test func bytesThatFillNoWordCount() {
    func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { bitHash($0) } }
    var hashes: Set<UInt64> = []
    for count in 0...70 {
      let bytes = (0..<count).map { UInt8($0) }
      hashes.insert(hash(bytes))
      guard count > 0 else { continue }
      hashes.insert(hash(bytes.dropLast() + [255]))
    }
    #expect(hashes.count == 71 + 70)
  }
}
