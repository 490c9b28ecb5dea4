import Foundation
import Support

/// Why a data set or one of its samples cannot be used: where, what is wrong, and what to do.
public enum DatasetError: Error, Equatable, CustomStringConvertible, LocalizedError {
  /// A file is not there, cannot be read or written, or is damaged.
  case file(FileError)
  /// The index of a directory of shards cannot be used.
  case badIndex(path: String, reason: String)
  /// A directory holds shards that were made, or begun, otherwise than is asked for now.
  case otherShards(path: String, reason: String)
  /// A shard that another program made does not have samples as they are needed.
  case unusableShard(path: String, reason: String)
  /// An archive cannot be opened, or is damaged from some entry on.
  case unreadableArchive(path: String, reason: String)
  /// The data set has none of these splits; `available` are those it has.
  case missingSplit(path: String, splits: [String], available: [String])
  /// Files of several formats lie side by side.
  case ambiguousFormat(path: String, formats: [String])
  /// A directory has some of the files that unpacking an archive of CIFAR gives.
  case incompleteCIFAR(path: String, missing: String, archive: String)
  /// Several directories may be meant by the name of a split.
  case ambiguousSplit(path: String, split: String, found: [String])
  /// A data set is there, in a form that has to be changed first.
  case otherForm(path: String, OtherForm)
  /// The split has no class directories.
  case noClasses(path: String)
  /// A class has no images that can be read; `found` says what it has.
  case emptyClass(path: String, name: String, found: String)
  /// The name of a class is not UTF-8, has control characters, or shows the same as another one; as bytes.
  case unusableClassName(path: String, name: String, like: String?)
  /// The class lists of two data sets differ, first at `index`; `nil` where a list has ended.
  case classesDiffer(
    training: String, validation: String, index: Int, trainingClass: String?,
    validationClass: String?)
  /// A directory or archive has no files with the expected endings.
  case noInputs(path: String, expected: String, remedy: String)
  /// Each class of a split that is to be divided has one image.
  case nothingHeldOut(path: String)
  /// No image of a split can be decoded.
  case noSamples(path: String)
  /// An image is damaged, of an unknown format, or too large.
  case undecodable(sample: String, reason: String)
  /// More samples than allowed cannot be used; `last` is about the one that was too much.
  case tooManyBadSamples(limit: Int, last: String)
  /// A recording of events, or its labels, do not follow the format; the reason tells the byte.
  case malformed(sample: String, reason: String)
  /// A directory does not hold recordings in the layout of its format.
  case noRecordings(path: String, expected: String)
  /// The shards to be made would be taken for a class of the data that they are made of.
  case outputInSplit(path: String, split: String)
  /// What is made of the data once can be kept nowhere; `content` says what that is.
  case uncacheable(content: String, directories: [String], reason: String)
  /// The statistics of a normalization preset are for another number of channels.
  case normalizationMismatch(preset: NormalizationPreset, channels: Int)
  /// The data set that belongs to the program is in none of the places where it may be.
  case embeddedDataMissing(searched: [String])

  public var description: String {
    switch self {
    case .file(let error):
      return error.description
    case .badIndex(let path, let reason):
      return "\(path): is not a usable index of shards: \(reason). "
        + "Copy it again, or remove it and make the shards again with sltt-dist shard."
    case .otherShards(let path, let reason):
      return "\(path): holds other shards: \(reason). "
        + "Give another output directory, or empty this one."
    case .unusableShard(let path, let reason):
      return "\(path): is no shard for training: \(reason). Expected a plain tar of KEY.jpg (or"
        + " .jpeg, .png) beside KEY.cls, or KEY.json with a label."
    case .unreadableArchive(let path, let reason):
      return "\(path): cannot be read as a tar archive: \(reason). "
        + "Give an image folder or an intact tar, plain or compressed by gzip, bzip2, xz, zstd or lz4."
    case .missingSplit(let path, let splits, let available):
      let shown = available.prefix(8).joined(separator: ", ")
      let found =
        available.isEmpty ? "no directories" : available.count > 8 ? shown + ", …" : shown
      let names = splits.prefix(4).map { "'\($0)'" }.joined(separator: " or ")
      return "\(path): has no split \(names), only: \(found). "
        + "Name the right split; of an image folder, it is"
        + " \(splits[0])/<class>/<image>.{jpg,jpeg,png}."
        + (splits == ImageDataset.trainingSplits && !available.isEmpty
          ? " Where these are the classes, set data.train=. (of sltt-dist shard, --train .)." : "")
    case .ambiguousFormat(let path, let formats):
      return "\(path): has files of several formats, \(formats.joined(separator: " and ")). "
        + "Say which are meant: data.format=\(formats[0]) (for sltt-dist shard, move the others)."
    case .incompleteCIFAR(let path, let missing, let archive):
      return "\(path): has no \(missing), which is part of CIFAR's binary version. "
        + "Unpack \(archive) of www.cs.toronto.edu/~kriz/cifar.html again, or copy that file from it."
    case .ambiguousSplit(let path, let split, let found):
      return "\(path): '\(split)' may be any of \(found.joined(separator: ", ")). "
        + "Say which: data.train=\(found[0]) or data.validation=\(found[0]) (of sltt-dist shard,"
        + " --train and --validation)."
    case .otherForm(let path, let other):
      return "\(path): \(other.form). \(other.remedy)"
    case .noClasses(let path):
      return "\(path): has no class directories. "
        + "Expected one directory a class with its images inside."
    case .emptyClass(let path, let name, let found):
      return "\(path): the class '\(name)' has no .jpg, .jpeg or .png files, but "
        + "\(found.isEmpty ? "nothing" : found). "
        + (recordingEndings.contains { found.contains(" .\($0)") }
          ? "Recordings of events are read unpacked, laid out as their data set is, with data.format"
            + " left at auto."
          : "Add its images, convert them to one of these formats, or remove the directory.")
    case .unusableClassName(let path, let name, nil):
      return
        "\(path): the class directory '\(name)' has a name that is not UTF-8, or has control characters."
        + " Rename it."
    case .unusableClassName(let path, let name, let other?):
      return "\(path): the class directories '\(other)' and '\(name)' have names that show the"
        + " same. Rename one, or put its images into the other."
    case .classesDiffer(let training, let validation, let index, let first, let second):
      func quoted(_ name: String?) -> String { name.map { "'\($0)'" } ?? "no class" }
      return "\(training) and \(validation) have different classes: number \(index) (from 0) is "
        + "\(quoted(first)) in the first and \(quoted(second)) in the second. "
        + "Labels are positions in the sorted list of classes, so both need the same list."
    case .noInputs(let path, let expected, let remedy):
      return "\(path): has no \(expected) files. \(remedy)"
    case .nothingHeldOut(let path):
      return
        "\(path): has one image of each class, so none can be held out to validate on. Add images,"
        + " or set data.validation to the training split, which then validates as well."
    case .noSamples(let path):
      return "\(path): none of its images can be decoded. Check that it is the right data set."
    case .undecodable(let sample, let reason):
      return "\(sample): cannot be decoded: \(reason). Replace or remove this image."
    case .tooManyBadSamples(let limit, let last):
      return "more than \(limit) samples cannot be used, the last: \(last) "
        + "Check the data set, or raise data.max_bad_samples."
    case .malformed(let sample, let reason):
      return "\(sample): is malformed: \(reason). Replace or remove this recording."
    case .noRecordings(let path, let expected):
      return "\(path): has no recordings of this format. Expected \(expected). "
        + "Check data.path and data.format."
    case .outputInSplit(let path, let split):
      return
        "\(path) is in \(split), where each directory is taken for a class: name another directory"
        + " for the shards"
    case .uncacheable(let content, let directories, let reason):
      return
        "\(content) cannot be stored in \(directories.joined(separator: ", ")): "
        + "\(reason). Make one of them writable, make room, or name another in XDG_CACHE_HOME."
    case .normalizationMismatch(let preset, let channels):
      return "data.normalization '\(preset.rawValue)' is not made for images of \(channels) "
        + "channel(s). Set it to 'unit' or 'none', or to one that is, or set model.input_channels."
    case .embeddedDataMissing(let searched):
      return "the embedded data set was not found in: \(searched.joined(separator: ", ")). "
        + "Keep the .resources directory beside the program, or name another data set."
    }
  }

  public var errorDescription: String? { description }
}

extension DatasetError {
  static func notFound(path: String) -> DatasetError { .file(.notFound(path: path)) }

  static func unreadable(path: String, reason: String) -> DatasetError {
    .file(.unreadable(path: path, reason: reason))
  }

  static func unwritable(path: String, reason: String) -> DatasetError {
    .file(.unwritable(path: path, reason: reason))
  }

  static func damaged(path: String, offset: Int, reason: String) -> DatasetError {
    .file(.damaged(path: path, offset: offset, reason: reason))
  }
}

/// Does something with files of a data set, whose errors then are errors of the data set.
func onFiles<Result>(
  _ body: @autoclosure () throws(FileError) -> Result
) throws(DatasetError) -> Result {
  do { return try body() } catch { throw .file(error) }
}
