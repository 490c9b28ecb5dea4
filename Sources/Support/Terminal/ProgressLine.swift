import Foundation

/// Shows how far the work is: on a terminal in one line that changes, else in a line now and then.
public final class ProgressLine: @unchecked Sendable {
  private let isInteractive = Terminal.ofStandardOutput().isInteractive
  private var lastLine = ContinuousClock.now - .seconds(60)
  private var last = ""
  private var isShown = true

  public init() {}

  /// To be called from one thread at a time.
  public func show(_ text: String) {
    last = text
    if isInteractive {
      write("\r" + text + "\u{1B}[K")
    } else {
      isShown = ContinuousClock.now - lastLine > .seconds(10)
      guard isShown else { return }
      lastLine = .now
      write(text + "\n")
    }
  }

  /// Leaves the last text standing.
  public func end() {
    if isInteractive, !last.isEmpty { write("\n") }
    if !isInteractive, !isShown { write(last + "\n") }
  }

  /// Takes the last text away, where it is on a terminal.
  public func hide() {
    if isInteractive, !last.isEmpty { write("\r\u{1B}[K") }
  }

  private func write(_ text: String) {
    try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }
}
