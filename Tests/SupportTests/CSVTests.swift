import Support
import Testing

struct CSVTests {
  @Test func fieldsAreQuotedWhereTheyMustBe() {
    #expect(csvLine(["plain", "", "with space", "0.5"]) == "plain,,with space,0.5\n")
    #expect(
      csvLine(["a,b", "say \"no\"", "two\nlines", "cr\r\nlf"])
        == "\"a,b\",\"say \"\"no\"\"\",\"two\nlines\",\"cr\r\nlf\"\n")
    #expect(csvLine([]) == "\n")
  }
}
