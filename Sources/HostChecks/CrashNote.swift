import Foundation

/// Last words for checks that may end the process: a library that uses instructions which the CPU does
/// not have is killed, and doctor with it.
enum CrashNote {
  private static let signals = [SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP, SIGABRT]

  // Where a signal handler can read it: it must not allocate, nor call into Swift's run time.
  private nonisolated(unsafe) static let text = UnsafeMutablePointer<UInt8>.allocate(capacity: 4096)
  private nonisolated(unsafe) static var length = 0

  /// Runs `body`; if it crashes, the process prints `note` to the standard output and ends with
  /// status 1. One thread at a time.
  static func with<Result>(_ note: String, _ body: () throws -> Result) rethrows -> Result {
    let bytes = Array(note.utf8.prefix(4096))
    text.update(from: bytes, count: bytes.count)
    length = bytes.count
    var caught = sigset_t()
    sigemptyset(&caught)
    for number in signals { sigaddset(&caught, number) }
    // Whoever started this process may have blocked them.
    pthread_sigmask(SIG_UNBLOCK, &caught, nil)
    let previous = signals.map { number in
      signal(number) { _ in
        write(STDOUT_FILENO, CrashNote.text, CrashNote.length)
        _exit(1)
      }
    }
    defer { for (number, handler) in zip(signals, previous) { signal(number, handler) } }
    return try body()
  }
}
