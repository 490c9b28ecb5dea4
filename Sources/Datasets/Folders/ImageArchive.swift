import Support

/// The images of one split of a tar archive, `[…/]<split>/<class>/**/<image>`: the samples of the image
/// folder that unpacking it gives, in the same order. They are read from it one by one.
public struct ImageArchive: ImageSource {
  public let location: String
  public let classes: [String]
  public let labels: [Int32]
  public let passedOver: PassedOver
  private let fileNames: NameTable
  private let file: RandomAccessFile
  /// Of every sample, in the file.
  private let ranges: [Range<Int>]

  /// - Parameters:
  ///   - splits: the first of them that is there counts.
  ///   - method: is told how that gets on.
  public init(
    path: String, splits: [String], listing method: FolderListing.Method = .alone
  ) throws(DatasetError) {
    try self.init(PlainTar(of: path, method), path: path, splits: splits)
  }

  init(_ tar: PlainTar, path: String, splits: [String]) throws(DatasetError) {
    let (split, directory) = try SplitSearch(path: path, root: tar.tree.root).find(splits)
    location = "\(path):\(split)"
    let listing = try FolderListing(of: directory, split: split, location: location)
    classes = listing.classes.map(\.name)
    labels = listing.labels
    passedOver = listing.passedOver
    fileNames = listing.files
    file = tar.file
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(labels.count)
    for (index, label) in labels.enumerated() {
      let name = RawPath(classes[Int(label)]).appending(fileNames.utf8(index))
      ranges.append(directory.place(of: name))
    }
    self.ranges = ranges
  }

  public func name(of index: Int) -> String {
    "\(location)/\(classes[Int(labels[index])])/\(fileNames[index])"
  }

  public var listingHash: UInt64 { fileNames.hash }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    try onFiles(file.read(ranges[index], into: &bytes))
  }
}
