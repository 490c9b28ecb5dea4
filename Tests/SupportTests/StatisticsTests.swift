import Support
import Testing

struct StatisticsTests {
  @Test func medianIsTheMiddle() {
    #expect(median([3]) == 3)
    #expect(median([9, 1, 2]) == 2)
    #expect(median([4, 1, 3, 100]) == 3.5)
  }

  @Test func deviationIsThatOfASample() {
    #expect(mean([3]) == 3)
    #expect(mean([2, 4, 9]) == 5)
    // (9 + 1 + 16) / 2
    #expect(deviation([2, 4, 9]) == 13.0.squareRoot())
    #expect(deviation([1.5, 1.5]) == 0)
  }
}
