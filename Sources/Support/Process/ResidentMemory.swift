internal import CMalloc
import Foundation

/// The largest resident memory of this process so far, in bytes.
public func peakResidentBytes() -> Int {
  var usage = rusage()
  getrusage(RUSAGE_SELF.rawValue, &usage)
  return usage.ru_maxrss * 1024  // Linux counts in KiB.
}

/// The resident memory of this process, in bytes.
public func residentBytes() -> Int {
  let counts = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(
    separator: " ")
  // The second is of resident pages.
  return (counts?.dropFirst().first.flatMap { Int($0) } ?? 0) * Int(getpagesize())
}

/// Gives freed memory back to the operating system that malloc keeps between blocks in use.
public func releaseFreedMemory() {
  malloc_trim(0)
}
