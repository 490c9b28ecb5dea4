import Support
import Testing

struct LiveBlockTests {
  @Test func linesChangeInPlaceBelowWhatIsPrinted() {
    let clear = "\r\u{1B}[J"
    var block = LiveBlock()
    #expect(!block.isShown && block.printing("a") == "a\n" && block.hide() == "")
    #expect(block.show(["1", "2", "3"]) == "\n1\n2\n3\u{1B}[3A\r" && block.isShown)
    #expect(block.printing("a") == clear + "a\n\n1\n2\n3\u{1B}[3A\r")
    #expect(block.show(["4"]) == clear + "\n4\u{1B}[1A\r")
    #expect(block.hide() == clear && !block.isShown)
    #expect(block.printing("b") == "b\n")
  }
}
