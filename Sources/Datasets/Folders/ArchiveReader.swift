import Foundation

internal import CArchive

/// Reads the entries of an archive one after another, through libarchive.
final class ArchiveReader {
  enum Format {
    /// Of any compression.
    case tar
    case zip
  }

  struct Entry {
    /// Without a leading `./` or trailing `/`.
    let path: String
    let isDirectory: Bool
    let isFile: Bool
  }

  private let path: String
  private let handle: OpaquePointer

  init(path: String, format: Format = .tar) throws(DatasetError) {
    guard let handle = archive_read_new() else {
      throw .unreadableArchive(path: path, reason: "not enough memory")
    }
    self.path = path
    self.handle = handle
    switch format {
    case .tar:
      archive_read_support_filter_all(handle)
      archive_read_support_format_tar(handle)
    case .zip:
      archive_read_support_format_zip(handle)
    }
    try check(archive_read_open_filename(handle, path, 1 << 18))
  }

  deinit {
    archive_read_free(handle)
  }

  /// The next entry, or `nil` after the last.
  func nextEntry() throws(DatasetError) -> Entry? {
    var entry: OpaquePointer?
    let status = archive_read_next_header(handle, &entry)
    guard status != ARCHIVE_EOF else { return nil }
    try check(status)
    // The UTF-8 name is missing if the name is not UTF-8, the other if the locale cannot show it.
    guard let name = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry) else {
      throw .unreadableArchive(path: path, reason: "an entry has no readable name")
    }
    let type = mode_t(archive_entry_filetype(entry))
    return Entry(
      path: String(cString: name).split(separator: "/").filter { $0 != "." }
        .joined(separator: "/"),
      isDirectory: type == S_IFDIR, isFile: type == S_IFREG)
  }

  /// Appends the content of the entry that `nextEntry` returned last.
  /// - Parameter limit: bytes of the content that are too many.
  func appendData(to bytes: inout [UInt8], limit: Int = .max) throws(DatasetError) {
    let start = bytes.count
    var block: UnsafeRawPointer?
    var size = 0
    var offset: Int64 = 0
    while true {
      let status = archive_read_data_block(handle, &block, &size, &offset)
      guard status != ARCHIVE_EOF else { return }
      try check(status)
      guard size < limit - (bytes.count - start) else {
        throw .unreadableArchive(path: path, reason: "an entry has more than \(limit) bytes")
      }
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: block, count: size))
    }
  }

  /// Warnings, such as an owner that this machine does not have, do not matter here.
  private func check(_ status: Int32) throws(DatasetError) {
    guard status < ARCHIVE_WARN else { return }
    let reason = archive_error_string(handle).map { String(cString: $0) } ?? "status \(status)"
    throw .unreadableArchive(path: path, reason: reason)
  }
}
