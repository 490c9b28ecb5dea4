import Foundation
import Support

internal import CZlib

/// Reads a file that is compressed with gzip to its end, and compares the checksums in it, which
/// libarchive passes over. Other files are fine.
///
/// - Throws: `DatasetError.unreadableArchive` where it is damaged.
func requireIntactGzip(
  _ path: String, _ method: FolderListing.Method
) throws(DatasetError) {
  guard let file = gzopen(path, "rb") else {
    throw .unreadable(path: path, reason: systemReason())
  }
  defer { gzclose(file) }
  gzbuffer(file, 1 << 18)
  var bytes = [UInt8](repeating: 0, count: 1 << 18)
  var count = gzread(file, &bytes, UInt32(bytes.count))
  guard gzdirect(file) == 0 else { return }
  while count > 0 {
    method.progress()
    count = gzread(file, &bytes, UInt32(bytes.count))
  }
  var status: Int32 = 0
  let reason = gzerror(file, &status).map { String(cString: $0) } ?? ""
  guard count == 0, status == Z_OK else {
    throw .unreadableArchive(
      path: path, reason: "its compressed data are damaged" + (reason.isEmpty ? "" : ": \(reason)"))
  }
}
