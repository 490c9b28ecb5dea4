import Support

/// Finds the directory of a split below a data set.
///
/// A split is a path in the data set, such as `train` or `fold1/train`. Where the data set has not
/// got it, it may lie in a directory that is wrapped around it, as in an archive of a directory: then
/// the one that lies nearest to the top is meant, if there is only one so near; of several splits, the
/// first of those that lie nearest. Where nobody has divided the images into splits, the directory of the
/// classes is the training split. `ImageSource.notes` say where it was found.
struct SplitSearch<Directory: ListedDirectory> {
  /// Of the data set.
  private let path: String
  private let root: Directory

  /// Where the data set itself is the split.
  static var wholeDataSet: RawPath { RawPath(".") }

  /// Directories to look into for splits, so that a wrong path ends in a message and not in a walk
  /// through a whole disk.
  private var limit: Int { 4096 }

  init(path: String, root: Directory) { (self.path, self.root) = (path, root) }

  /// One of these splits.
  func find(
    _ splits: [String]
  ) throws(DatasetError) -> (split: RawPath, directory: Directory) {
    if let found = try nearest(of: splits) { return found }
    let isArchive = Directory.self == ArchiveTree.Directory.self
    if let form = OtherForm(of: try root.entries(), isArchive: isArchive) {
      throw .otherForm(path: path, form)
    }
    for variant in CIFARBinary.Variant.allCases {
      guard let (place, _) = try? nearest(of: [variant.directory]) else { continue }
      throw .otherForm(path: path, isArchive ? .packedCIFAR : .deeperCIFAR(place, in: path))
    }
    let (place, directory) = try firstBranching()
    let branches = try directory.subdirectories()
    let places = branches.map { place.appending($0.name) }
    if splits == ImageDataset.trainingSplits, !places.contains(where: isOfSplit),
      try areClasses(branches.map(\.directory))
    {
      return (place.bytes.isEmpty ? Self.wholeDataSet : place, directory)
    }
    throw .missingSplit(
      path: path, splits: splits,
      available: (places.isEmpty && !place.bytes.isEmpty ? [place] : places).map { "\($0)" })
  }

  /// Whether a directory on the way is called as a split.
  private func isOfSplit(_ place: RawPath) -> Bool {
    let splits = ImageDataset.trainingSplits + ImageDataset.validationSplits
    return place.components.contains { name in
      splits.contains { $0.utf8.elementsEqual(name) }
    }
  }

  /// Whether directories look like those of classes: the first ones have images, and none below.
  private func areClasses(_ directories: [Directory]) throws(DatasetError) -> Bool {
    guard directories.count > 1 else { return false }
    for directory in directories.prefix(8) {
      let hasImages = try directory.entries().contains { entry in
        if case .file = entry.kind { !entry.isHidden && isImageFileName(entry.name) } else { false }
      }
      guard hasImages, try directory.subdirectories().isEmpty else { return false }
    }
    return true
  }

  private func nearest(
    of splits: [String]
  ) throws(DatasetError) -> (split: RawPath, directory: Directory)? {
    var level = [(path: RawPath([]), directory: root)]
    var looked = 0
    var seen: Set = [root.identity]
    while !level.isEmpty, looked < limit {
      for split in splits {
        let found = places(of: split, in: level)
        guard found.count < 2 else {
          throw .ambiguousSplit(path: path, split: split, found: found.map { "\($0.split)" })
        }
        if let only = found.first { return only }
      }
      var next: [(path: RawPath, directory: Directory)] = []
      for (path, directory) in level where looked < limit && directory.isSearched {
        looked += 1
        for (name, subdirectory) in subdirectories(of: directory)
        where seen.insert(subdirectory.identity).inserted {
          next.append((path.appending(name), subdirectory))
        }
      }
      level = next
    }
    return nil
  }

  /// Where a split is in some directories, each place once.
  private func places(
    of split: String, in directories: [(path: RawPath, directory: Directory)]
  ) -> [(split: RawPath, directory: Directory)] {
    let split = RawPath(split)
    return directories.reduce(into: []) { found, place in
      guard let target = descend(from: place.directory, split),
        !found.contains(where: { $0.directory.identity == target.identity })
      else { return }
      found.append((place.path.appending(split.bytes), target))
    }
  }

  private func descend(from directory: Directory, _ path: RawPath) -> Directory? {
    var directory = directory
    for name in path.components where !name.elementsEqual(".".utf8) {
      guard let next = subdirectories(of: directory).first(where: { $0.name.elementsEqual(name) })
      else { return nil }
      directory = next.directory
    }
    return directory
  }

  /// A directory that cannot be read, such as `lost+found`, may well be none of ours.
  private func subdirectories(
    of directory: Directory
  ) -> [(name: [UInt8], directory: Directory)] {
    (try? directory.subdirectories()) ?? []
  }

  /// The first directory that holds more, or less, than one directory.
  private func firstBranching() throws(DatasetError) -> (path: RawPath, directory: Directory) {
    var (path, directory) = (RawPath([]), root)
    for _ in 0..<8 {
      let subdirectories = try directory.subdirectories()
      guard subdirectories.count == 1 else { break }
      (path, directory) = (path.appending(subdirectories[0].name), subdirectories[0].directory)
    }
    return (path, directory)
  }
}
