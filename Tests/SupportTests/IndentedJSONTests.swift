import Support
import Testing

struct IndentedJSONTests {
  @Test func namesAreInSnakeCase() {
    struct Figures: Encodable { let imagesPerSecond = [1.5] }
    #expect(indentedJSON(Figures()) == "{\n  \"images_per_second\" : [\n    1.5\n  ]\n}\n")
  }
}
