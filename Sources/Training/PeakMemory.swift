import Foundation

/// The largest resident memory of this process so far, in bytes.
public func peakResidentBytes() -> Int {
  var usage = rusage()
  getrusage(RUSAGE_SELF.rawValue, &usage)
  return usage.ru_maxrss * 1024  // Linux counts in KiB.
}
