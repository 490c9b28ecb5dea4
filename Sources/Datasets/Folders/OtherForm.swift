import Support

/// A form in which people have a well-known data set and which cannot be used as it is.
public struct OtherForm: Sendable, Equatable {
  /// What was found, as a sentence without its subject.
  let form: String
  /// What to do, in whole sentences.
  let remedy: String

  private init(form: String, remedy: String) { (self.form, self.remedy) = (form, remedy) }

  static let zip = OtherForm(
    form: "is a zip archive", remedy: "Unpack it, and give the directory that comes out.")

  static let pickledCIFAR = OtherForm(
    form: "holds CIFAR's version for Python, whose files only Python reads",
    remedy: "Fetch the binary version (cifar-10-binary.tar.gz or cifar-100-binary.tar.gz of"
      + " www.cs.toronto.edu/~kriz/cifar.html), unpack it, and give its directory.")

  static let packedCIFAR = OtherForm(
    form: "holds CIFAR's binary files in an archive",
    remedy: "Unpack it (tar xf), and give the directory that comes out.")

  static let binaryCIFAR = OtherForm(
    form: "holds CIFAR's binary files and no image folder", remedy: "Leave data.format at auto.")

  static let partOfCIFAR = OtherForm(
    form: "holds some of CIFAR's binary files, and not batches.meta.txt, the names of the classes",
    remedy: "Unpack cifar-10-binary.tar.gz once more, and give the directory that comes out.")

  /// - Parameter directory: below the data set.
  static func deeperCIFAR(_ directory: RawPath, in path: String) -> OtherForm {
    OtherForm(
      form: "holds no image folder, but CIFAR's binary files in \(directory)",
      remedy: "Give that directory: data.path=\(RawPath(path).appending(directory.bytes)), with"
        + " data.format left at auto.")
  }

  static let tarOfTars = OtherForm(
    form: "holds a tar archive for each class, as ILSVRC2012_img_train.tar does",
    remedy: "Unpack each into a directory of its class below a directory 'train', and give the"
      + " directory above: for f in *.tar; do mkdir -p train/${f%.tar} && tar xf $f -C"
      + " train/${f%.tar}; done")

  static let packedRecordings = OtherForm(
    form: "is an archive, and recordings of events are read from files",
    remedy: "Unpack it (tar xf), and name the directory that comes out.")

  static let binaryFile = OtherForm(
    form: "is a file of recorded events or of CIFAR's binary version, and no image",
    remedy: "Recordings take a network that was trained on such; CIFAR's images, which have labels,"
      + " are measured by sltt-dist evaluate.")

  static let shardsWithoutIndex = OtherForm(
    form: "holds tar archives and no index",
    remedy: "If they are shards of WebDataset, make one with sltt-dist shard --index; else unpack"
      + " them, or give one of them.")

  static let archives = OtherForm(
    form: "holds archives and no image folder",
    remedy: "Unpack them, and give the directory with the splits; or give one that is a tar of it.")

  static let flatSplit = OtherForm(
    form: "has images and no class directories",
    remedy: "Move each image into a directory of its class, as PyTorch's valprep.sh does with"
      + " ImageNet's ILSVRC2012_img_val.tar.")

  static let tinyImageNet = OtherForm(
    form: "has its images in one directory and their classes in val_annotations.txt, as"
      + " tiny-imagenet has",
    remedy: "Move each into a directory of its class: cd there; while read -r f c _; do mkdir -p $c"
      + " && mv images/$f $c/; done <val_annotations.txt; rm -r images")

  /// By what is in a data set that has not got the split.
  init?(of entries: [ListedEntry<some ListedDirectory>], isArchive: Bool) {
    var (files, directories): (Set<String>, Set<String>) = ([], [])
    for entry in entries where !entry.isHidden {
      switch entry.kind {
      case .file: files.insert("\(RawPath(entry.name))")
      case .directory: directories.insert("\(RawPath(entry.name))")
      case .nothing: break
      }
    }
    let endings = Set(files.compactMap { fileNameEnding($0.utf8) })
    if !directories.isDisjoint(with: ["cifar-10-batches-py", "cifar-100-python"])
      || files.isSuperset(of: ["batches.meta", "data_batch_1"])
      || files.isSuperset(of: ["meta", "test", "train"])
    {
      self = .pickledCIFAR
    } else if files.isSuperset(of: ["batches.meta.txt", "data_batch_1.bin"])
      || files.isSuperset(of: ["fine_label_names.txt", "train.bin"])
    {
      self = isArchive ? .packedCIFAR : .binaryCIFAR
    } else if !directories.isEmpty {
      return nil
    } else if !files.isDisjoint(with: ["data_batch_1.bin", "test_batch.bin"]) {
      self = .partOfCIFAR
    } else if endings.contains("tar") {
      let isByClass = isArchive || files.contains { $0.wholeMatch(of: /n\d{8}\.tar/) != nil }
      self = isByClass ? .tarOfTars : .shardsWithoutIndex
    } else if !endings.isDisjoint(with: ["zip", "gz", "tgz", "xz", "zst", "bz2"]) {
      self = .archives
    } else {
      return nil
    }
  }

  /// By the files that are directly in a split.
  init?(ofSplit files: [[UInt8]], hasClasses: Bool) {
    if files.contains(Array("val_annotations.txt".utf8)) {
      self = .tinyImageNet
    } else if !hasClasses, files.contains(where: { isImageFileName($0) }) {
      self = .flatSplit
    } else if !hasClasses, files.contains(where: { fileNameEnding($0) == "tar" }) {
      self = .tarOfTars
    } else {
      return nil
    }
  }
}
