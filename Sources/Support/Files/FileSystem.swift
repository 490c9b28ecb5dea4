import Foundation

/// A file system's room, in bytes.
public struct FileSystem: Equatable {
  public let total: Int
  /// For this user.
  public let available: Int
  /// Files that can still be made; `nil` where the file system does not count them.
  public let availableFiles: Int?

  public init(total: Int, available: Int, availableFiles: Int? = nil) {
    (self.total, self.available, self.availableFiles) = (total, available, availableFiles)
  }

  /// The file system that a path is in; `nil` if there is no such path.
  public init?(path: String) {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    let block = Int(status.f_frsize)
    self.init(
      total: Int(status.f_blocks) * block, available: Int(status.f_bavail) * block,
      availableFiles: status.f_files == 0 ? nil : Int(status.f_favail))
  }
}
