import Foundation

/// A path without links and from the root, as far as it exists.
public func resolved(_ path: String) -> String {
  var (url, rest) = (URL(fileURLWithPath: path).standardizedFileURL, "")
  while !FileManager.default.fileExists(atPath: url.path), url.path != "/" {
    rest = "/" + url.lastPathComponent + rest
    url.deleteLastPathComponent()
  }
  return url.resolvingSymlinksInPath().path + rest
}
