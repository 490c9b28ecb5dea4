/// The images of one split of a tar archive, `[…/]<split>/<class>/<image>`, held in memory as they
/// are encoded.
public struct ImageArchive: ImageSource {
  public let location: String
  public let classes: [String]
  public let labels: [Int32]
  private let fileNames: NameTable
  private let data: [UInt8]
  private let ranges: [Range<Int>]

  public init(path: String, split: String) throws(DatasetError) {
    location = path + ":" + split
    let reader = try ArchiveReader(path: path)
    var splits: Set<String> = []
    var filesByClass: [String: [(name: String, range: Range<Int>)]] = [:]
    var data: [UInt8] = []
    while let entry = try reader.nextEntry() {
      let components = entry.path.split(separator: "/").map(String.init)
      if entry.isDirectory, components.count >= 2, components[components.count - 2] == split {
        filesByClass[components[components.count - 1], default: []] += []
      }
      guard entry.isFile, components.count >= 3 else { continue }
      let entrySplit = components[components.count - 3]
      let name = components[components.count - 1]
      guard isImageFileName(name) else { continue }
      splits.insert(entrySplit)
      guard entrySplit == split else { continue }
      let start = data.count
      try reader.appendData(to: &data)
      filesByClass[components[components.count - 2], default: []].append(
        (name, start..<data.count))
    }
    guard splits.contains(split) else {
      throw .missingSplit(path: path, split: split, available: splits.sortedByBytes())
    }

    classes = filesByClass.keys.sortedByBytes()
    var labels: [Int32] = []
    var fileNames = NameTable()
    var ranges: [Range<Int>] = []
    for (label, name) in classes.enumerated() {
      let files = filesByClass[name]!.sorted {
        $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
      }
      guard !files.isEmpty else { throw .emptyClass(path: location, name: name) }
      for file in files {
        labels.append(Int32(label))
        fileNames.append(file.name)
        ranges.append(file.range)
      }
    }
    self.labels = labels
    self.fileNames = fileNames
    self.data = data
    self.ranges = ranges
  }

  public func name(of index: Int) -> String {
    "\(location)/\(classes[Int(labels[index])])/\(fileNames[index])"
  }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: data[ranges[index]])
  }
}
