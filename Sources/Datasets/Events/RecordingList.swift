import Foundation
import Support

/// The recordings of a split: which files, and which samples with which labels are in them.
struct RecordingList: Sendable {
  /// A file with one sample, or several that follow each other in time.
  struct File: Sendable {
    let path: String
    /// The first of its samples; they have consecutive numbers.
    let firstSample: Int
    /// When each sample begins and ends, microseconds.
    let windows: [Range<Int64>]
  }

  let format: EventFormat
  /// The default where it makes no difference.
  let convention: EventConvention
  let location: String
  let classes: [String]
  private(set) var labels: [Int32] = []
  private(set) var files: [File] = []
  /// The file of each sample.
  private var fileOfSample: [Int32] = []

  init(
    format: EventFormat, convention: EventConvention = .spikingJelly, location: String,
    classes: [String]
  ) {
    (self.format, self.convention, self.location, self.classes) =
      (format, convention, location, classes)
  }

  static let wholeFile = [Int64.min..<Int64.max]

  mutating func append(_ path: String, windows: [Range<Int64>] = wholeFile, labels: [Int32]) {
    fileOfSample += labels.map { _ in Int32(files.count) }
    files.append(File(path: path, firstSample: self.labels.count, windows: windows))
    self.labels += labels
  }

  /// The path of a sample's file, and where that has several samples, the sample's number there.
  func name(of sample: Int) -> String {
    let file = files[Int(fileOfSample[sample])]
    let number = sample - file.firstSample + 1
    return file.path + (file.windows == Self.wholeFile ? "" : ", sample \(number)")
  }

  /// The directory of which each directory is a class; `nil` where tables tell the classes.
  var classDirectory: String? {
    guard format != .dvsGesture, let file = files.first else { return nil }
    let folder = (file.path as NSString).deletingLastPathComponent
    return (folder as NSString).deletingLastPathComponent
  }

  /// Of the files' names, with the class's directory where there is one, and of where the samples lie in them.
  var listingHash: UInt64 {
    var hash = XXHash64()
    for file in files {
      let parts = file.path.split(separator: "/")
      hash.update(name: parts.suffix(format == .dvsGesture ? 1 : 2).joined(separator: "/"))
      file.windows.withUnsafeBytes { hash.update($0) }
    }
    return hash.value
  }

  /// Lists a split.
  ///
  /// - Parameters:
  ///   - convention: which split is meant where the data set has none.
  ///   - rule: by which stored frames were made.
  init(
    _ format: EventFormat, _ convention: EventConvention = .spikingJelly, path: String,
    split: EventSplit, rule: FrameRule
  ) throws(DatasetError) {
    guard case .directory = try onFiles(FileKind(path: path)) else {
      throw .noRecordings(path: path, expected: "a directory; unpack the archive first")
    }
    switch format {
    case .nmnist:
      try self.init(
        format, classFolders: path + (split == .training ? "/Train" : "/Test"), ending: ".bin",
        expected: "Train/<digit>/*.bin and Test/<digit>/*.bin")
    case .cifar10DVS:
      try self.init(
        format, convention, classFolders: path, ending: ".aedat", share: split,
        expected: "<class>/*.aedat")
    case .dvsGesture:
      try self.init(gestures: path, split: split)
    case .frames:
      let directory = try Self.frameDirectory(path, rule)
      let isSplit = FileManager.default.fileExists(atPath: directory + "/train")
      try self.init(
        format, convention, classFolders: directory + (isSplit ? "/" + split.rawValue : ""),
        ending: ".npz", share: isSplit ? nil : split,
        expected: "\(rule.directoryName)/[train|test/]<class>/*.npz")
    }
  }

  /// SpikingJelly's directory of frames by this rule, or the path itself if it has none.
  private static func frameDirectory(
    _ path: String, _ rule: FrameRule
  ) throws(DatasetError) -> String {
    let directories = try subdirectories(of: path).filter(EventFormat.isFrameDirectory)
    guard !directories.isEmpty else { return path }
    guard directories.contains(rule.directoryName) else {
      throw .noRecordings(
        path: path,
        expected: "\(rule.directoryName), as data.frames has it, but found "
          + directories.joined(separator: ", "))
    }
    return path + "/" + rule.directoryName
  }

  /// Lists one directory a class, with one file a sample.
  /// - Parameter share: the part of each class that belongs to this split; `nil` for all.
  private init(
    _ format: EventFormat, _ convention: EventConvention = .spikingJelly,
    classFolders path: String, ending: String, share: EventSplit? = nil, expected: String
  ) throws(DatasetError) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw .noRecordings(path: path, expected: expected)
    }
    let classes = try subdirectories(of: path)
    self.init(
      format: format, convention: convention,
      location: path + (share.map { ":" + $0.rawValue } ?? ""), classes: classes)
    for (label, name) in classes.enumerated() {
      let folder = path + "/" + name
      let all = try onFiles(directoryEntries(folder))
        .filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }
      guard !all.isEmpty else {
        throw .noRecordings(path: folder, expected: "*\(ending) files in each class directory")
      }
      let names =
        if let share {
          try convention.files(of: share, among: all, in: folder)
        } else {
          all.sortedByBytes()
        }
      for name in names { append(folder + "/" + name, labels: [Int32(label)]) }
    }
    guard !labels.isEmpty else { throw .noRecordings(path: path, expected: expected) }
  }
}

extension FrameRule {
  /// The rule of SpikingJelly's directory of frames with this name, if it is one.
  init?(directoryName name: String) {
    if let match = name.wholeMatch(of: /frames_number_(\d{1,4})_split_by_(number|time)/),
      let number = Int(match.1), let division = Division(rawValue: String(match.2)), number > 0
    {
      self = .number(number, by: division)
    } else if let match = name.wholeMatch(of: /duration_(\d{1,9})/), let duration = Int(match.1),
      duration > 0
    {
      self = .duration(duration)
    } else {
      return nil
    }
  }

  /// The name of SpikingJelly's directory of frames by this rule.
  var directoryName: String {
    switch self {
    case .number(let number, let division): "frames_number_\(number)_split_by_\(division.rawValue)"
    case .duration(let duration): "duration_\(duration)"
    }
  }
}
