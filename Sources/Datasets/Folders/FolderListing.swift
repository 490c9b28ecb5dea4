import Foundation

/// The classes of a split of an image folder and the names of their files: what a pass over its
/// directories finds.
public struct FolderListing: Sendable, Equatable {
  /// A class directory.
  struct ClassDirectory: Sendable, Equatable {
    var name: String
    /// When an entry was last added to it, renamed or removed.
    var modified: ModificationTime
    /// Image files.
    var count: Int
  }

  /// Sorted by the names' bytes.
  var classes: [ClassDirectory] = []
  /// The image files of the first class, sorted by bytes, then of the next, and so on.
  var files = NameTable()

  /// Reads the directories of a split.
  ///
  /// - Parameter progress: is called every few seconds.
  static func scan(
    _ location: String, progress: (ScanProgress) -> Void = { _ in }
  ) throws(DatasetError) -> FolderListing {
    let names = try subdirectories(of: location)
    guard !names.isEmpty else { throw .noClasses(path: location) }
    var listing = FolderListing()
    var lastReport = ContinuousClock.now
    for name in names {
      let path = location + "/" + name
      // Before the names, so that a later change makes the listing look old.
      let modified = try ModificationTime(of: path)
      var images: [String] = []
      try forEachEntry(of: path) { name, kind in
        if kind != .directory && isImageFileName(name) { images.append(name) }
      }
      guard !images.isEmpty else { throw .emptyClass(path: location, name: name) }
      for image in images.sortedByBytes() { listing.files.append(image) }
      listing.classes.append(
        ClassDirectory(name: name, modified: modified, count: images.count))
      if ContinuousClock.now - lastReport > .seconds(3) {
        lastReport = .now
        progress(
          ScanProgress(
            location: location, files: listing.files.count, classes: listing.classes.count,
            allClasses: names.count))
      }
    }
    return listing
  }

  /// Whether no class directory has changed, come or gone since.
  func isCurrent(_ location: String) -> Bool {
    guard let names = try? subdirectories(of: location), names == classes.map(\.name) else {
      return false
    }
    return classes.allSatisfy {
      (try? ModificationTime(of: location + "/" + $0.name)) == $0.modified
    }
  }
}

/// How far a pass over the directories of a split is.
public struct ScanProgress: Sendable, CustomStringConvertible {
  /// The split.
  public let location: String
  /// Image files so far.
  public let files: Int
  /// Class directories so far.
  public let classes: Int
  public let allClasses: Int

  public var description: String {
    "listing \(location): \(files) images in \(classes) of \(allClasses) classes"
  }
}

/// When a directory was last changed.
struct ModificationTime: Sendable, Equatable {
  var seconds: Int
  var nanoseconds: Int

  init(seconds: Int, nanoseconds: Int) {
    (self.seconds, self.nanoseconds) = (seconds, nanoseconds)
  }

  init(of path: String) throws(DatasetError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw .unreadable(path: path, reason: errorText())
    }
    self.init(seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }
}
