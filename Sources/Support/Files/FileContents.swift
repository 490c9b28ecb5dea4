import Foundation

/// Replaces `bytes` by a file's content; keeps the buffer's memory.
public func readFile(_ path: String, into bytes: inout [UInt8]) throws(FileError) {
  try readFile(RawPath(path), into: &bytes)
}

/// Replaces `bytes` by a file's content; keeps the buffer's memory.
public func readFile(_ path: RawPath, into bytes: inout [UInt8]) throws(FileError) {
  let file = try RandomAccessFile(path: path)
  try file.read(0..<file.size, into: &bytes)
}

/// What is in a regular file; `nil` if there is none.
///
/// - Throws: `FileError`, as `isThere`, and for instance of a pipe, rather than to wait for what
///   comes out of it.
public func contentsOfFile(_ path: String) throws(FileError) -> Data? {
  guard try isThere(path) else { return nil }
  var bytes: [UInt8] = []
  try readFile(path, into: &bytes)
  return Data(bytes)
}

/// Writes a file so that whoever opens it finds the whole content, or what was there before.
public func writeFile(_ path: String, _ bytes: some Sequence<UInt8>) throws(FileError) {
  do {
    try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
  } catch {
    throw .unwritable(path: path, reason: systemReason(of: error))
  }
}
