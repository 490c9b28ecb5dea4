import Foundation
import Support

/// The classes of a split and the names of their samples: what a walk through its directories finds.
///
/// A split has a directory a class, and every image below one is a sample of it, at any depth and
/// through links. Names that begin with a point are passed over with what is below them, and so is all
/// that is no image by its ending; both are counted.
public struct FolderListing: Sendable, Equatable {
  /// A class directory.
  struct ClassDirectory: Sendable, Equatable {
    var name: String
    /// Samples.
    var count: Int
  }

  /// Where the split is below the data set.
  var split: RawPath
  /// Sorted by the names' bytes.
  var classes: [ClassDirectory] = []
  /// The samples of the first class, then of the next, and so on, by their paths in it: sorted by
  /// directory, then by name, as torchvision does.
  var files = NameTable()
  /// In the split itself, beside the class directories.
  var passedOverBesideClasses = PassedOver()
  /// In the class directories.
  var passedOverInClasses = PassedOver()
  /// Of the file system: the directories that were listed.
  var directories: [DirectoryState] = []

  /// A directory below the split's as it was when it was listed.
  struct DirectoryState: Sendable, Equatable {
    /// In the split.
    var path: RawPath
    var modified: ModificationTime
  }

  /// All that is no sample.
  var passedOver: PassedOver {
    var sum = passedOverBesideClasses
    sum.add(passedOverInClasses)
    return sum
  }

  /// Of all samples: the positions of their classes.
  var labels: [Int32] {
    classes.enumerated().flatMap { label, entry in
      repeatElement(Int32(label), count: entry.count)
    }
  }

  init(split: RawPath) { self.split = split }

  /// Lists a split.
  ///
  /// - Parameters:
  ///   - split: where it is below the data set.
  ///   - location: for messages.
  ///   - didList: is called after each directory with its path in the split.
  init<Directory: ListedDirectory>(
    of directory: Directory, split: RawPath, location: String,
    didList: (Directory, RawPath, ScanProgress) -> Void = { _, _, _ in }
  ) throws(DatasetError) {
    self.init(split: split)
    let top = try SplitTop(of: directory, location: location)
    if let form = OtherForm(ofSplit: top.files, hasClasses: !top.classes.isEmpty) {
      throw .otherForm(path: location, form)
    }
    guard !top.classes.isEmpty else { throw .noClasses(path: location) }
    passedOverBesideClasses = top.passedOver
    for (name, classDirectory) in top.classes {
      let before = files.count
      var walk = FileWalk<Directory>(isWanted: { isImageFileName($0) })
      try walk.visit(classDirectory, at: RawPath([]), below: [directory.identity]) {
        [classes, classCount = top.classes.count] directory, path, images in
        didList(
          directory, RawPath(name).appending(path.bytes),
          ScanProgress(
            location: location, files: before + images, classes: classes.count,
            allClasses: classCount))
      }
      walk.append(to: &files)
      guard files.count > before else {
        throw .emptyClass(
          path: location, name: "\(RawPath(name))", found: "\(walk.passedOver)")
      }
      passedOverInClasses.add(walk.passedOver)
      classes.append(ClassDirectory(name: "\(RawPath(name))", count: files.count - before))
    }
  }
}

extension FolderListing {
  /// Lists a split in the file system.
  static func scan(
    _ directory: FileSystemDirectory, split: RawPath, _ method: Method = .alone
  ) throws(DatasetError) -> FolderListing {
    var directories: [DirectoryState] = []
    var reports = Pacing()
    var listing = try FolderListing(
      of: directory, split: split, location: "\(directory.path)"
    ) { directory, path, state in
      directories.append(DirectoryState(path: path, modified: directory.modified))
      method.progress()
      if reports.isDue { method.report("\(state)") }
    }
    listing.directories = directories
    return listing
  }

  /// Whether nothing has changed in a split since, come or gone.
  func isCurrent(_ directory: FileSystemDirectory) -> Bool {
    guard let top = try? SplitTop(of: directory, location: ""),
      top.passedOver == passedOverBesideClasses,
      top.classes.elementsEqual(classes, by: { $0.name.elementsEqual($1.name.utf8) })
    else { return false }
    return directories.allSatisfy {
      let path = directory.path.appending($0.path.bytes)
      return (try? FileSystemDirectory(path: path))?.modified == $0.modified
    }
  }
}

/// What is directly in a split.
struct SplitTop<Directory: ListedDirectory> {
  /// Sorted by the names' bytes.
  private(set) var classes: [(name: [UInt8], directory: Directory)] = []
  /// Names of files.
  private(set) var files: [[UInt8]] = []
  private(set) var passedOver = PassedOver()

  /// - Throws: where two names would be taken for one class, or a name for another.
  init(of split: Directory, location: String) throws(DatasetError) {
    for entry in try split.entries() {
      switch entry.kind {
      case _ where entry.isHidden: passedOver.addHidden(entry.name)
      case .file:
        files.append(entry.name)
        passedOver.add(.outsideClasses)
      case .directory(let directory): classes.append((entry.name, directory))
      case .nothing(let reason): passedOver.add(reason)
      }
    }
    classes.sort { $0.name.lexicographicallyPrecedes($1.name) }
    // Texts are compared by what they show, so names that show the same are equal keys.
    var bytesByName: [String: [UInt8]] = [:]
    for (name, _) in classes {
      // Control characters would break tables, and command the terminals that show them.
      guard let text = String(validating: name, as: UTF8.self),
        !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
      else {
        throw .unusableClassName(path: location, name: escaped(name), like: nil)
      }
      if let other = bytesByName.updateValue(name, forKey: text) {
        throw .unusableClassName(path: location, name: escaped(name), like: escaped(other))
      }
    }
  }
}

/// A name for messages in which everything but printable ASCII is written as bytes, as in C.
private func escaped(_ name: [UInt8]) -> String {
  name.map { byte in
    (0x20..<0x7F).contains(byte)
      ? String(Character(Unicode.Scalar(byte)))
      : (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16)
  }.joined()
}

/// How far a pass over the directories of a split is.
struct ScanProgress: CustomStringConvertible {
  /// The split.
  let location: String
  /// Image files so far.
  let files: Int
  /// Class directories so far.
  let classes: Int
  let allClasses: Int

  var description: String {
    "listing \(location): \(Format.counted(files, "image")) in \(classes) of "
      + Format.counted(allClasses, "class")
  }
}
