import Foundation

/// `status`, or 1 where the shell, which sees the low byte only, would take it for success.
func nonZeroExitStatus(_ status: Int32) -> Int32 {
  status & 0xff == 0 ? 1 : status
}

/// Ends this process in five seconds, whatever hangs by then: standard error, a lock that `exit` needs,
/// or MPI in a broken job.
func exitForSure(status: Int32) {
  Thread.detachNewThread {
    sleep(5)
    _exit(nonZeroExitStatus(status))
  }
}

/// Prints `rank R on HOST: message` to standard error, in one write so that the messages of several
/// ranks do not mix.
func printAbortMessage(_ message: String, rank: Int, hostName: String) {
  let line = Array("rank \(rank) on \(hostName): \(message)\n".utf8)
  var written = 0
  while written < line.count {
    let count = line.withUnsafeBytes {
      write(STDERR_FILENO, $0.baseAddress! + written, line.count - written)
    }
    if count < 0 && errno == EINTR { continue }
    if count <= 0 { return }
    written += count
  }
}

/// The name that this node goes by, or `localhost` where it has none.
func currentHostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
  return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
