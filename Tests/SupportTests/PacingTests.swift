import Support
import Testing

struct PacingTests {
  @Test func aReportIsDueWhenItsIntervalIsOver() {
    var (always, never) = (Pacing(every: .zero), Pacing(every: .seconds(1_000_000)))
    for _ in 0..<3 {
      let (isDue, isEarly) = (always.isDue, !never.isDue)
      #expect(isDue && isEarly)
    }
  }
}
