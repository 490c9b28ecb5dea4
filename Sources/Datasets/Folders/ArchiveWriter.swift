import Foundation

internal import CArchive

/// Writes a plain tar of entries that an `ArchiveReader` reads, through libarchive: with their names,
/// contents and links, and without owners, times and holes.
final class ArchiveWriter {
  private let path: String
  private let handle: OpaquePointer
  /// Of the present entry's content, in bytes.
  private var position = 0

  /// - Parameters:
  ///   - descriptor: of a file, which stays open.
  ///   - path: for messages.
  init(descriptor: Int32, path: String) throws(DatasetError) {
    self.path = path
    guard let handle = archive_write_new() else {
      throw .unwritable(path: path, reason: "not enough memory")
    }
    self.handle = handle
    // Its names are bytes, whatever they encode.
    archive_write_set_format_gnutar(handle)
    archive_write_set_bytes_per_block(handle, 1 << 18)
    try check(archive_write_open_fd(handle, descriptor))
  }

  deinit {
    archive_write_free(handle)
  }

  /// Begins an entry, whose content follows.
  func add(_ entry: ArchiveReader.Entry) throws(DatasetError) {
    let header = archive_entry_new()
    defer { archive_entry_free(header) }
    entry.path.withCString { archive_entry_set_pathname(header, $0) }
    archive_entry_set_perm(header, 0o644)
    let type: mode_t
    switch entry.kind {
    case .file:
      type = S_IFREG
      archive_entry_set_size(header, Int64(entry.size))
    case .directory: type = S_IFDIR
    case .hardLink(let target):
      type = S_IFREG
      target.withCString { archive_entry_set_hardlink(header, $0) }
    case .symbolicLink(let target):
      type = S_IFLNK
      target.withCString { archive_entry_set_symlink(header, $0) }
    case .special: type = S_IFIFO
    }
    archive_entry_set_filetype(header, UInt32(type))
    position = 0
    try check(archive_write_header(handle, header))
  }

  /// Writes a part of the entry's content; what lies between it and the part before are zeros.
  func write(_ block: UnsafeRawBufferPointer, at offset: Int) throws(DatasetError) {
    let zeros = [UInt8](repeating: 0, count: min(offset - position, 1 << 16))
    while position < offset {
      let count = min(offset - position, zeros.count)
      let written = zeros.withUnsafeBytes { archive_write_data(handle, $0.baseAddress, count) }
      try advance(by: count, written: written)
    }
    try advance(
      by: block.count, written: archive_write_data(handle, block.baseAddress, block.count))
  }

  private func advance(by count: Int, written: Int) throws(DatasetError) {
    guard written == count else { throw failure(Int32(ARCHIVE_FATAL)) }
    position += count
  }

  /// Ends the archive.
  func finish() throws(DatasetError) { try check(archive_write_close(handle)) }

  private func check(_ status: Int32) throws(DatasetError) {
    guard status < ARCHIVE_WARN else { return }
    throw failure(status)
  }

  private func failure(_ status: Int32) -> DatasetError {
    let code = archive_errno(handle)
    let reason =
      code > 0
      ? String(cString: strerror(code))
      : archive_error_string(handle).map { String(cString: $0) } ?? "status \(status)"
    return .unwritable(path: path, reason: reason)
  }
}
