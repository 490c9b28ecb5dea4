import Foundation
import Support

/// Directories that a run writes to.
enum SpaceCheck {
  /// Room for some checkpoints of a large network.
  private static let enough = 2 << 30

  /// - Parameter directory: need not exist yet; then the directory above it counts that does.
  static func finding(_ topic: String, directory: String) -> Finding {
    let existing = existingDirectory(directory)
    func finding(_ text: String) -> Finding {
      Finding(section: .space, topic: topic, text: "\(directory)\(text)")
    }
    if let reason = reasonNotToWrite(existing) {
      return finding(": cannot write to \(existing): \(reason)").failed(
        "Name another directory, or get the permission to write there")
    }
    return assess(finding, FileSystem(path: existing))
  }

  static func assess(_ finding: (String) -> Finding, _ system: FileSystem?) -> Finding {
    guard let system else {
      return finding(": its room is unknown").warning("Check that the file system is mounted")
    }
    let found = finding(
      ": \(Format.bytes(system.available)) of \(Format.bytes(system.total)) free")
    if system.availableFiles == 0 {
      return found.failed("It has no room for another file: delete some")
    }
    return system.available < enough
      ? found.warning(
        "Less than \(Format.bytes(enough)), which checkpoints of a large network fill: delete what"
          + " is not needed, or name another directory")
      : found
  }

  private static func existingDirectory(_ path: String) -> String {
    var url = URL(fileURLWithPath: path).standardizedFileURL
    while !FileManager.default.fileExists(atPath: url.path) && url.path != "/" {
      url.deleteLastPathComponent()
    }
    return url.path
  }

  /// Tries to make a file.
  private static func reasonNotToWrite(_ directory: String) -> String? {
    var template = Array("\(directory)/.sltt-dist-XXXXXX\0".utf8CString)
    let file = mkstemp(&template)
    guard file >= 0 else { return systemReason() }
    close(file)
    unlink(template)
    return nil
  }
}
