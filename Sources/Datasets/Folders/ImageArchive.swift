/// The images of one split of a tar archive, `[…/]<split>/<class>/**/<image>`: the samples of the image
/// folder that unpacking it gives, in the same order.
///
/// Those of a plain tar are read from it one by one; those of a compressed one are held in memory.
public struct ImageArchive: ImageSource {
  public let location: String
  public let classes: [String]
  public let labels: [Int32]
  public let passedOver: PassedOver
  private let fileNames: NameTable
  private let content: Content
  /// Of every sample, in the content.
  private let ranges: [Range<Int>]

  private enum Content {
    case file(RandomAccessFile)
    case memory([UInt8])
  }

  /// - Parameter splits: the first of them that is there counts.
  public init(path: String, splits: [String]) throws(DatasetError) {
    let tree = try ArchiveTree(path: path)
    let (split, directory) = try SplitSearch(path: path, root: tree.root).find(splits)
    location = "\(path):\(split)"
    let listing = try FolderListing(of: directory, split: split, location: location)
    classes = listing.classes.map(\.name)
    labels = listing.labels
    passedOver = listing.passedOver
    fileNames = listing.files
    var members: [ArchiveTree.Member] = []
    members.reserveCapacity(labels.count)
    for (index, label) in labels.enumerated() {
      let name = RawPath(classes[Int(label)]).appending(fileNames.utf8(index))
      members.append(directory.member(at: name))
    }
    if let places = members.map(\.place) as? [Range<Int>] {
      content = .file(try RandomAccessFile(path: path))
      ranges = places
    } else {
      let (bytes, places) = try Self.unpack(Set(members.map(\.number)), of: path)
      content = .memory(bytes)
      ranges = members.map { places[$0.number]! }
    }
  }

  /// The content of some members, and where each is in it.
  private static func unpack(
    _ members: Set<Int>, of path: String
  ) throws(DatasetError) -> (bytes: [UInt8], places: [Int: Range<Int>]) {
    let reader = try ArchiveReader(path: path)
    var bytes: [UInt8] = []
    var places: [Int: Range<Int>] = [:]
    var number = 0
    while places.count < members.count, try reader.nextEntry() != nil {
      if members.contains(number) {
        let start = bytes.count
        try reader.appendData(to: &bytes)
        places[number] = start..<bytes.count
      }
      number += 1
    }
    return (bytes, places)
  }

  public func name(of index: Int) -> String {
    "\(location)/\(classes[Int(labels[index])])/\(fileNames[index])"
  }

  public var listingHash: UInt64 { fileNames.hash }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    switch content {
    case .file(let file): try file.read(ranges[index], into: &bytes)
    case .memory(let all):
      bytes.removeAll(keepingCapacity: true)
      bytes.append(contentsOf: all[ranges[index]])
    }
  }
}
