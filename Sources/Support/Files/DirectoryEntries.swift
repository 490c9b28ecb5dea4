import Foundation

/// Hands every entry of a directory to `body`, unsorted, with what the directory itself says about
/// its kind: `nil` for symbolic links and where the file system does not tell. No file is touched.
public func forEachEntry(
  of path: RawPath, _ body: (_ name: [UInt8], _ kind: FileKind?) -> Void
) throws(FileError) {
  guard let directory = path.withCString({ opendir($0) }) else { throw .reading(path) }
  defer { closedir(directory) }
  let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name)!
  while true {
    errno = 0
    guard let entry = readdir(directory) else {
      guard errno == 0 else { throw .unreadable(path: "\(path)", reason: systemReason()) }
      return
    }
    // The record is as long as its name, not as the structure.
    let start = (UnsafeRawPointer(entry) + nameOffset).assumingMemoryBound(to: UInt8.self)
    let name = Array(UnsafeBufferPointer(start: start, count: strlen(start)))
    guard name != Array(".".utf8), name != Array("..".utf8) else { continue }
    let kind: FileKind? =
      switch Int(entry.pointee.d_type) {
      case Int(DT_DIR): .directory
      case Int(DT_REG): .file
      default: nil
      }
    body(name, kind)
  }
}

/// The names in a directory, unsorted.
public func directoryEntries(_ path: String) throws(FileError) -> [String] {
  var names: [String] = []
  try forEachEntry(of: RawPath(path)) { name, _ in names.append("\(RawPath(name))") }
  return names
}
