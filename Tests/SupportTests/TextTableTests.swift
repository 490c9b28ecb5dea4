import Support
import Testing

struct TextTableTests {
  private func lines(_ rows: [[String]], leftAligned: Int) -> [Substring] {
    table(rows, leftAligned: leftAligned).split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test func columnsAreAsWideAsTheirWidestCells() {
    let rows = [["a", "bb", "c"], ["dddd", "e", "ffff"]]
    #expect(lines(rows, leftAligned: 1) == ["a     bb     c", "dddd   e  ffff"])
    #expect(lines(rows, leftAligned: 2) == ["a     bb     c", "dddd  e   ffff"])
    #expect(lines(rows, leftAligned: 0) == ["   a  bb     c", "dddd   e  ffff"])
  }

  @Test func linesEndWithoutSpaces() {
    #expect(lines([["x", "long"], ["yy", "b"]], leftAligned: 2) == ["x   long", "yy  b"])
    #expect(lines([["x", "1"], ["y", ""]], leftAligned: 1) == ["x  1", "y"])
  }

  @Test func widthsAreThoseOfCharacters() {
    #expect(
      lines([["größe", "1"], ["e\u{301}", "22"]], leftAligned: 1)
        == ["größe   1", "e\u{301}      22"])
  }

  @Test func textIsPaddedButNeverCut() {
    #expect("ab".padded(to: 4) == "ab  " && "abc".padded(to: 2) == "abc")
  }
}
