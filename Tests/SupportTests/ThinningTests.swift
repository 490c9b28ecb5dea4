import Support
import Testing

struct ThinningTests {
  @Test func neighboursAreAveraged() {
    let values = [2.5, 6.5, 9.5]
    #expect(values.thinned(to: 3) == values)
    #expect(values.thinned(to: 2) == [4.5, 9.5])
    #expect(values.thinned(to: 1) == [18.5 / 3])
    #expect(([] as [Double]).thinned(to: 1) == [])
  }
}
