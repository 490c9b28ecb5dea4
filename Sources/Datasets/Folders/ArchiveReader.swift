import Foundation
import Support

internal import CArchive

/// Reads the entries of an archive one after another, through libarchive.
package final class ArchiveReader {
  package enum Format {
    /// Of any compression.
    case tar
    case zip
  }

  package struct Entry {
    package enum Kind {
      case file, directory
      /// To an entry that came before, by its path in the archive.
      case hardLink(RawPath)
      /// The link's text.
      case symbolicLink(RawPath)
      /// A device, a pipe or the like.
      case special
    }

    package let path: RawPath
    package let kind: Kind
    /// In bytes, of its content.
    package let size: Int
    /// Where its content lies in the file, if it lies there as it is.
    package let place: Range<Int>?
  }

  private let path: String
  private let format: Format
  private let fileSize: Int
  private let handle: OpaquePointer

  package init(path: String, format: Format = .tar) throws(DatasetError) {
    fileSize = Int(try onFiles(FileStatus(of: RawPath(path)).status.st_size))
    guard let handle = archive_read_new() else {
      throw .unreadableArchive(path: path, reason: "not enough memory")
    }
    self.path = path
    self.format = format
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
  package func nextEntry() throws(DatasetError) -> Entry? {
    var entry: OpaquePointer?
    let status = archive_read_next_header(handle, &entry)
    guard status != ARCHIVE_EOF else { return nil }
    try check(status)
    guard let name = archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry) else {
      throw .unreadableArchive(path: path, reason: "an entry has no readable name")
    }
    return Entry(
      path: RawPath(name), kind: kind(of: entry!), size: Int(archive_entry_size(entry)),
      place: try place(of: entry!, RawPath(name)))
  }

  /// Whether the file is compressed, so that no content lies in it as it is. Before the first entry.
  var isCompressed: Bool {
    get throws(DatasetError) {
      _ = try nextEntry()
      return archive_filter_code(handle, 0) != ARCHIVE_FILTER_NONE
    }
  }

  /// How much of the file has been read, in percent.
  var percentRead: Int { Int(100 * archive_filter_bytes(handle, -1)) / max(fileSize, 1) }

  /// After the entry's header has been read.
  private func place(
    of entry: OpaquePointer, _ name: RawPath
  ) throws(DatasetError) -> Range<Int>? {
    guard format == .tar, archive_filter_code(handle, 0) == ARCHIVE_FILTER_NONE,
      archive_entry_sparse_count(entry) == 0
    else { return nil }
    let start = Int(archive_filter_bytes(handle, 0))
    let size = Int(archive_entry_size(entry))
    // libarchive skips content by moving on in the file, also beyond its end.
    guard start <= fileSize, size <= fileSize - start else {
      throw .unreadableArchive(path: path, reason: "it ends within '\(name)'")
    }
    return start..<start + size
  }

  private func kind(of entry: OpaquePointer) -> Entry.Kind {
    if let target = archive_entry_hardlink(entry) ?? archive_entry_hardlink_utf8(entry) {
      return .hardLink(RawPath(target))
    }
    switch mode_t(archive_entry_filetype(entry)) {
    case S_IFREG: return .file
    case S_IFDIR: return .directory
    case S_IFLNK:
      let target = archive_entry_symlink(entry) ?? archive_entry_symlink_utf8(entry)
      return .symbolicLink(target.map { RawPath($0) } ?? RawPath([]))
    default: return .special
    }
  }

  /// Appends the content of the entry that `nextEntry` returned last.
  /// - Parameter limit: of its bytes, with those of holes.
  package func appendData(to bytes: inout [UInt8], limit: Int = .max) throws(DatasetError) {
    let start = bytes.count
    try forEachBlock { block, offset throws(DatasetError) in
      guard block.count <= limit, offset <= limit - block.count else {
        throw .unreadableArchive(path: path, reason: "an entry has more than \(limit) bytes")
      }
      bytes.resize(to: start + offset)
      bytes.append(contentsOf: block)
    }
  }

  /// Hands on the content of the entry that `nextEntry` returned last, block by block with the place of
  /// each, which is behind the block before. Of a sparse file, what is between blocks are zeros.
  func forEachBlock(
    _ body: (_ block: UnsafeRawBufferPointer, _ offset: Int) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    var block: UnsafeRawPointer?
    var size = 0
    var offset: Int64 = 0
    var end = 0
    while true {
      let status = archive_read_data_block(handle, &block, &size, &offset)
      guard status != ARCHIVE_EOF else { return }
      // A wrong checksum is no more than a warning.
      try check(status, least: ARCHIVE_OK)
      // The map of a sparse file may say anything.
      guard offset >= end, case let (sum, isTooFar) = Int(offset).addingReportingOverflow(size),
        !isTooFar
      else { throw .unreadableArchive(path: path, reason: "the parts of an entry overlap") }
      end = sum
      try body(UnsafeRawBufferPointer(start: block, count: size), Int(offset))
    }
  }

  /// Warnings about headers, such as an owner that this machine does not have, do not matter here.
  private func check(_ status: Int32, least: Int32 = ARCHIVE_WARN) throws(DatasetError) {
    guard status < least else { return }
    let reason = archive_error_string(handle).map { String(cString: $0) } ?? "status \(status)"
    throw .unreadableArchive(path: path, reason: reason)
  }
}
