import Foundation
import Support

internal import CArchive

/// Writes a tar archive in the ustar format through libarchive, and hashes it on the way. Equal
/// entries give equal bytes: no time, owner or machine gets into the file, which appears when it is
/// complete.
final class TarWriter {
  private let sink: Sink
  private let archive: OpaquePointer
  private let entry: OpaquePointer
  /// Where the next entry's header goes.
  private var position = 0

  init(path: String) throws(DatasetError) {
    sink = try Sink(path: path)
    archive = archive_write_new()
    entry = archive_entry_new()
    archive_write_set_format_ustar(archive)
    archive_write_set_bytes_per_block(archive, 1 << 18)
    archive_write_set_bytes_in_last_block(archive, 1)
    try check(
      archive_write_open(
        archive, Unmanaged.passUnretained(sink).toOpaque(), nil,
        { _, sink, bytes, count in
          Unmanaged<Sink>.fromOpaque(sink!).takeUnretainedValue().write(bytes!, count: count)
        }, nil))
  }

  deinit {
    archive_write_free(archive)
    archive_entry_free(entry)
  }

  /// Adds a file, and returns the offset of its content in the archive.
  /// - Parameter name: at most 100 bytes.
  func append(_ name: String, _ bytes: [UInt8]) throws(DatasetError) -> Int {
    precondition(name.utf8.count <= 100, "a name fits in its field of the header")
    archive_entry_clear(entry)
    archive_entry_set_pathname(entry, name)
    archive_entry_set_filetype(entry, 0o100000)  // A regular file.
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_size(entry, Int64(bytes.count))
    archive_entry_set_mtime(entry, 0, 0)
    try check(archive_write_header(archive, entry))
    guard archive_write_data(archive, bytes, bytes.count) == bytes.count else {
      throw failure
    }
    let offset = position + 512
    position = offset + (bytes.count + 511) / 512 * 512
    return offset
  }

  /// Ends the archive and brings it to the disk.
  /// - Returns: the size of the file and its XXH64.
  func finish() throws(DatasetError) -> (bytes: Int, hash: UInt64) {
    try check(archive_write_close(archive))
    try onFiles(sink.file.finish())
    // Two empty blocks end a tar; anything else means that entries are not where we think.
    precondition(sink.count == position + 1024, "entries of ustar have headers of 512 bytes")
    return (sink.count, sink.hash.value)
  }

  private func check(_ status: Int32) throws(DatasetError) {
    guard status < ARCHIVE_WARN else { return }
    throw failure
  }

  private var failure: DatasetError {
    let reason = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive failed"
    return .file(sink.failure ?? .unwritable(path: sink.file.path, reason: reason))
  }
}

/// Where libarchive's blocks go: a file and its hash.
private final class Sink {
  let file: PartialFile
  var hash = XXHash64()
  var count = 0
  var failure: FileError?

  init(path: String) throws(DatasetError) {
    file = try onFiles(PartialFile(path: path))
  }

  /// Returns `size`, or -1 after an error.
  func write(_ bytes: UnsafeRawPointer, count size: Int) -> Int {
    let block = UnsafeRawBufferPointer(start: bytes, count: size)
    do {
      try file.append(block)
    } catch {
      failure = error
      return -1
    }
    hash.update(block)
    count += size
    return size
  }
}
