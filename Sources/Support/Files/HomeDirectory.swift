import Foundation

/// A path as people write it: one that begins with `~/` is one in the home directory, in every key and
/// option. A shell sees to that only where `~` begins a word.
public func expandingHome(_ path: String) -> String {
  guard path == "~" || path.hasPrefix("~/"),
    let home = ProcessInfo.processInfo.environment["HOME"], !home.isEmpty
  else { return path }
  return home + path.dropFirst()
}
