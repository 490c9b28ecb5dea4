import Support
import Testing

@testable import Support

struct FormatTests {
  @Test func energiesHaveThreeDigits() {
    #expect(Format.energy(picojoules: 0) == "0.00 pJ")
    #expect(Format.energy(picojoules: 4.6) == "4.60 pJ")
    #expect(Format.energy(picojoules: 999) == "999 pJ")
    #expect(Format.energy(picojoules: 1411.875) == "1.41 nJ")
    #expect(Format.energy(picojoules: 25.6e6) == "25.6 µJ")
    #expect(Format.energy(picojoules: 3e15) == "3,000 J")
  }

  @Test func durations() {
    let cases: [(Double, String)] = [
      (0, "0.00 s"), (0.4249, "0.42 s"), (9.99, "9.99 s"), (9.999, "10.0 s"), (59.94, "59.9 s"),
      (59.99, "1m 00s"), (185, "3m 05s"), (3599.6, "1h 00m"), (7620, "2h 07m"),
      (86400 * 4 + 3 * 3600, "4d 03h"), (.nan, "?"), (.infinity, "?"), (-1, "?"),
    ]
    for (seconds, text) in cases {
      #expect(Format.duration(seconds) == text)
    }
  }

  @Test func byteSizes() {
    let cases: [(Int, String)] = [
      (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1024 * 1024 - 1, "1.0 MiB"),
      (1 << 31, "2.0 GiB"), (5 << 50, "5120.0 TiB"),
    ]
    for (count, text) in cases {
      #expect(Format.bytes(count) == text)
    }
  }

  @Test func countsRatesAndShares() {
    #expect(
      [0, 999, 1000, 11_173_962, -1234, .min].map(Format.count)
        == ["0", "999", "1,000", "11,173,962", "-1,234", "-9,223,372,036,854,775,808"])
    #expect(
      [4.561, 9.999, 45.61, 455.6, 4560, .infinity].map(Format.rate)
        == ["4.56", "10.0", "45.6", "456", "4,560", "?"])
    #expect(
      [0, 1, 1200].map { Format.counted($0, "epoch") } == ["0 epochs", "1 epoch", "1,200 epochs"])
    #expect([1, 2].map { Format.counted($0, "class") } == ["1 class", "2 classes"])
    #expect([1, 2].map { Format.counted($0, "batch") } == ["1 batch", "2 batches"])
    #expect(Format.percent(0.9612) == "96.1 %")
    #expect(Format.percent(1, digits: 2) == "100.00 %")
  }

  @Test(arguments: [
    ([], ""), ([3], "3"), ([0, 1], "0-1"), ([0, 2, 3, 4, 9], "0, 2-4, 9"),
  ])
  func numbersInARowAreShortened(numbers: [Int], expected: String) {
    #expect(Format.ranges(numbers) == expected)
  }
}
