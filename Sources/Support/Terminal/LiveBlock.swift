/// Lines at the end of a terminal's output that change in place; what is printed meanwhile comes above them.
///
/// The cursor waits in an empty line before the first of them. So a message that somebody else prints, as on the
/// standard error, has a line of its own, and the next change leaves it there.
public struct LiveBlock {
  private var lines: [String] = []

  public init() {}

  public var isShown: Bool { !lines.isEmpty }

  /// What shows other lines in place of those shown, none of which may be wider than the terminal.
  public mutating func show(_ lines: [String]) -> String {
    let before = clearing
    self.lines = lines
    return before + drawing
  }

  /// What prints a text and leaves the lines below it.
  public func printing(_ text: String) -> String { clearing + text + "\n" + drawing }

  /// What takes the lines away.
  public mutating func hide() -> String {
    defer { lines = [] }
    return clearing
  }

  private var drawing: String {
    isShown ? "\n" + lines.joined(separator: "\n") + "\u{1B}[\(lines.count)A\r" : ""
  }

  private var clearing: String { isShown ? "\r\u{1B}[J" : "" }
}
