import Foundation

/// What a file that a person names for a result may hold already, to be replaced.
public struct ResultKind: Sendable {
  /// For the message, such as "CSV file of predictions".
  let name: String
  fileprivate let includes: @Sendable (String) -> Bool

  /// - Parameter includes: whether what is at a path is of the kind.
  public init(_ name: String, includes: @escaping @Sendable (_ path: String) -> Bool) {
    (self.name, self.includes) = (name, includes)
  }

  /// - Parameter matches: whether the first 64 KiB of a file that is not empty are those of the kind.
  public init(_ name: String, matches: @escaping @Sendable (_ text: String) -> Bool) {
    let includes: @Sendable (String) -> Bool = { path in
      guard let file = FileHandle(forReadingAtPath: path),
        let bytes = try? file.read(upToCount: 1 << 16) ?? Data()
      else { return false }
      return bytes.isEmpty || matches(String(decoding: bytes, as: UTF8.self))
    }
    self.init(name, includes: includes)
  }

  /// - Parameters:
  ///   - beginning: of the kind's files.
  ///   - marks: all of which follow within the first 64 KiB.
  public init(_ name: String, beginning: String, marks: [String] = []) {
    self.init(name, matches: { $0.hasPrefix(beginning) && marks.allSatisfy($0.contains) })
  }

  /// For a result that something else writes than a `ResultFile`.
  ///
  /// - Returns: where it is to be written: what the path leads to, where it is a link.
  /// - Throws: `FileError` where the name is that of anything else.
  @discardableResult
  public func requireReplaceable(_ path: String) throws(FileError) -> String {
    guard !FileManager.default.fileExists(atPath: path) || includes(path) else {
      throw .occupied(path: path, wanted: name)
    }
    return followingLinks(path)
  }
}

/// A link stays one: what it leads to is written, even if that is not there yet.
private func followingLinks(_ path: String) -> String {
  var target = path
  // As many as Linux follows.
  for _ in 0..<40 {
    guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: target) else {
      break
    }
    let directory = (target as NSString).deletingLastPathComponent
    target = next.hasPrefix("/") || directory.isEmpty ? next : directory + "/" + next
  }
  return target
}

/// A file for a result, under a name that a person gave. It appears when it is complete, in place of an empty
/// file or an earlier result, but of nothing else: the name may be that of an input by mistake. What is no
/// file, such as a pipe or a device, is written to.
public final class ResultFile {
  private enum Destination {
    case file(PartialFile)
    case stream(FileHandle)
  }

  public let path: String
  private let destination: Destination

  /// - Throws: `FileError` where it cannot be written, or something else is there.
  public init(path: String, _ kind: ResultKind) throws(FileError) {
    self.path = path
    // Elsewhere it stands for a standard stream.
    if path == "-" {
      throw .unwritable(path: path, reason: "it is no name of a file; /dev/stdout is one")
    }
    var status = stat()
    guard stat(path, &status) == 0 else {
      destination = .file(try PartialFile(path: followingLinks(path)))
      return
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
      destination = .stream(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
      return
    }
    guard kind.includes(path) else { throw .occupied(path: path, wanted: kind.name) }
    destination = .file(try PartialFile(path: followingLinks(path)))
  }

  public func append(_ bytes: [UInt8]) throws(FileError) {
    switch destination {
    case .file(let file): try file.append(bytes)
    case .stream(let handle):
      do { try handle.write(contentsOf: bytes) } catch {
        throw .unwritable(path: path, reason: systemReason(of: error))
      }
    }
  }

  /// Adds bytes at the end, and puts the file in its place.
  public func finish(with bytes: some Sequence<UInt8> = []) throws(FileError) {
    try append(Array(bytes))
    if case .file(let file) = destination { try file.finish() }
  }
}
