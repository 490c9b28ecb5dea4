/// An image folder, `ROOT/<split>/<class>/<image>`. Listing it reads each directory once and touches
/// no file; a file is opened when its sample is read.
public struct ImageFolder: ImageSource {
  public let location: String
  public let classes: [String]
  public let labels: [Int32]
  private let fileNames: NameTable

  public init(path: String, split: String) throws(DatasetError) {
    let available = try subdirectories(of: path)
    guard available.contains(split) else {
      throw .missingSplit(path: path, split: split, available: available)
    }
    location = path + "/" + split
    classes = try subdirectories(of: location)
    guard !classes.isEmpty else { throw .noClasses(path: location) }

    var labels: [Int32] = []
    var fileNames = NameTable()
    for (label, name) in classes.enumerated() {
      let images = try directoryEntries(location + "/" + name).filter { isImageFileName($0) }
      guard !images.isEmpty else { throw .emptyClass(path: location, name: name) }
      for image in images.sortedByBytes() {
        labels.append(Int32(label))
        fileNames.append(image)
      }
    }
    self.labels = labels
    self.fileNames = fileNames
  }

  public func name(of index: Int) -> String {
    "\(location)/\(classes[Int(labels[index])])/\(fileNames[index])"
  }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    try readFile(name(of: index), into: &bytes)
  }
}
