import Support
import Testing

struct SparklineTests {
  @Test(
    arguments: [
      ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"), ([2.5, -1], "█▁"), ([3, 3], "▁▁"), ([], ""),
      ([1, .nan, 2, .infinity], "▁ █ "), ([.nan], ""),
    ] as [([Double], String)])
  func heightsFollowTheValues(_ values: [Double], _ text: String) {
    #expect(sparkline(values) == text)
  }
}
