import Testing

@testable import Support

@Test func peakMemoryGrowsWithWhatIsUsed() {
  let before = peakResidentBytes()
  #expect(before > 1 << 20)
  let block = [UInt8](repeating: 1, count: before)
  #expect(peakResidentBytes() > before)
  withExtendedLifetime(block) {}
}
