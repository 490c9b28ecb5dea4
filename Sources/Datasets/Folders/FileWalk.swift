import Support

/// Directories within each other that are looked into; links may make any number.
let deepestDirectory = 256

/// A walk through a directory and all below it, for the files whose names say that they are wanted.
struct FileWalk<Directory: ListedDirectory> {
  let isWanted: (_ name: [UInt8]) -> Bool
  private var files: [(directory: RawPath, names: [[UInt8]])] = []
  private var count = 0
  private(set) var passedOver = PassedOver()
  /// Names that are wanted and lead to no file.
  private(set) var unreachable: [(path: RawPath, reason: PassedOver.Reason)] = []
  /// Of files that are not wanted.
  private(set) var otherEndings: Set<String> = []

  init(isWanted: @escaping (_ name: [UInt8]) -> Bool) { self.isWanted = isWanted }

  /// - Parameters:
  ///   - path: of the directory, from where the walk began.
  ///   - ancestors: the directories through which the walk came here.
  mutating func visit(
    _ directory: Directory, at path: RawPath, below ancestors: [Directory.Identity],
    didList: (Directory, RawPath, _ files: Int) -> Void = { _, _, _ in }
  ) throws(DatasetError) {
    var names: [[UInt8]] = []
    var subdirectories: [(name: [UInt8], directory: Directory)] = []
    for entry in try directory.entries() {
      switch entry.kind {
      case _ where entry.isHidden: passedOver.addHidden(entry.name)
      case .file where isWanted(entry.name): names.append(entry.name)
      case .file:
        passedOver.add(.noImage(entry.name))
        fileNameEnding(entry.name).map { _ = otherEndings.insert($0) }
      case .directory(let directory): subdirectories.append((entry.name, directory))
      case .nothing(let reason):
        passedOver.add(reason)
        if isWanted(entry.name) { unreachable.append((path.appending(entry.name), reason)) }
      }
    }
    names.sortByBytes()
    count += names.count
    files.append((path, names))
    didList(directory, path, count)
    let ancestors = ancestors + [directory.identity]
    for (name, subdirectory) in subdirectories {
      guard !ancestors.contains(subdirectory.identity) else {
        passedOver.add(.circularLink)
        continue
      }
      guard ancestors.count < deepestDirectory else {
        passedOver.add(.tooDeep)
        continue
      }
      try visit(subdirectory, at: path.appending(name), below: ancestors, didList: didList)
    }
  }

  /// Appends the paths of the files: sorted by directory, then by name.
  func append(to paths: inout NameTable) {
    let sorted = files.sorted {
      $0.directory.bytes.lexicographicallyPrecedes($1.directory.bytes)
    }
    for (directory, names) in sorted {
      for name in names { paths.append(utf8: directory.appending(name).bytes) }
    }
  }
}

/// The files in a directory and below it whose names say that they are wanted: sorted by directory, then by
/// name; and such names that lead to no file.
///
/// - Parameters:
///   - location: of the directory, for messages.
///   - expected: the endings of wanted files, for messages.
///   - remedy: what to do where there are only files with these endings, in whole sentences.
/// - Throws: `DatasetError.noInputs` where there are neither.
func wantedFiles<Directory: ListedDirectory>(
  in directory: Directory, location: RawPath, expected: String,
  remedy: (_ endings: Set<String>) -> String, _ isWanted: @escaping (_ name: [UInt8]) -> Bool
) throws(DatasetError) -> (
  files: [RawPath], unreachable: [(path: RawPath, reason: PassedOver.Reason)]
) {
  var walk = FileWalk<Directory>(isWanted: isWanted)
  try walk.visit(directory, at: RawPath([]), below: [])
  var paths = NameTable()
  walk.append(to: &paths)
  guard paths.count > 0 || !walk.unreachable.isEmpty else {
    throw .noInputs(path: "\(location)", expected: expected, remedy: remedy(walk.otherEndings))
  }
  return ((0..<paths.count).map { RawPath(Array(paths.utf8($0))) }, walk.unreachable)
}

extension PassedOver {
  /// Files that this program leaves beside data are not worth a word.
  mutating func addHidden(_ name: [UInt8]) {
    if !name.starts(with: ".sltt-".utf8) { add(.hidden) }
  }
}
