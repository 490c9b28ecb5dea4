@preconcurrency import Glibc

/// Checks that all that was printed is written.
///
/// - Throws: `FileError` where it is not, as on a full disk.
public func requirePrinted() throws(FileError) {
  let isFlushed = fflush(stdout) == 0
  guard !isFlushed || ferror(stdout) != 0 else { return }
  throw .unwritable(
    path: "standard output",
    reason: isFlushed ? "a part of what was printed is lost" : systemReason())
}
