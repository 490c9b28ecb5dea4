import Support

/// Images without labels: files, what is in directories, and members of tar archives.
public struct UnlabelledImages: UnlabelledSource, ImageSource {
  private enum Place {
    case file(RawPath)
    /// Of an archive.
    case member(RandomAccessFile, Range<Int>)
    case nothing(PassedOver.Reason)
  }

  private var places: [(name: String, place: Place)] = []
  public private(set) var labels: [Int32] = []

  public init() {}

  public mutating func add(_ path: RawPath) throws(DatasetError) {
    if try onFiles(FileStatus(of: path).isDirectory) {
      let found = try images(in: FileSystemDirectory(path: path), location: path)
      for name in found.files {
        let file = path.appending(name.bytes)
        append("\(file)", .file(file))
      }
      for (name, reason) in found.unreachable {
        append("\(path.appending(name.bytes))", .nothing(reason))
      }
    } else if isArchiveName(path) {
      let (tar, tree) = try PlainTar.withTree(of: "\(path)", .alone)
      let found = try images(in: tree.root, location: path)
      for member in found.files {
        append("\(path):\(member)", .member(tar.file, tree.root.place(of: member)))
      }
      for (member, reason) in found.unreachable {
        append("\(path):\(member)", .nothing(reason))
      }
    } else if fileNameEnding(path.bytes) == "bin" {
      throw .otherForm(path: "\(path)", .binaryFile)
    } else {
      append("\(path)", .file(path))
    }
  }

  private mutating func append(_ name: String, _ place: Place) {
    places.append((name, place))
    labels.append(0)
  }

  public func name(of index: Int) -> String { places[index].name }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    switch places[index].place {
    case .file(let path): try onFiles(readFile(path, into: &bytes))
    case .member(let file, let range): try onFiles(file.read(range, into: &bytes))
    case .nothing(let reason): throw .unreadable(path: name(of: index), reason: reason.text)
    }
  }
}

private func images(
  in directory: some ListedDirectory, location: RawPath
) throws(DatasetError) -> (
  files: [RawPath], unreachable: [(path: RawPath, reason: PassedOver.Reason)]
) {
  try wantedFiles(
    in: directory, location: location, expected: ".jpg, .jpeg or .png",
    remedy: { endings in
      if endings.contains("tar") { return "Name its tars themselves: \(location)/*.tar." }
      return endings.contains("bin") ? OtherForm.binaryFile.remedy : "Name others."
    }
  ) { isImageFileName($0) }
}

/// Whether a file is an archive, by its ending: a tar, compressed or not.
func isArchiveName(_ path: RawPath) -> Bool {
  "\(path)".lowercased().contains(#/\.(tar(\.\w+)?|tgz|tbz2?|txz|tzst)$/#)
}
