import Configuration
import Datasets
import Distributed

/// A configured data set, of which only what is asked for is opened, on all ranks together.
package struct DataSplits {
  /// For messages.
  package let name: String
  private let configuration: Configuration
  private let communicator: any Communicator
  private let path: String
  /// nil for images.
  private let eventFormat: EventFormat?

  /// - Throws: `ConfigurationError` where keys do not suit the data.
  package init(
    _ configuration: Configuration, _ communicator: any Communicator = SingleProcess()
  ) throws {
    self.configuration = configuration
    self.communicator = communicator
    name = configuration.data.path ?? "embedded MNIST"
    path = try configuration.data.path ?? EmbeddedData.mnistPath()
    eventFormat = configuration.eventFormat
    if eventFormat == nil {
      try configuration.requireNoEventKeys()
    } else if configuration.data.format == .auto {
      try requireOneFormat()
    }
    try configuration.requireOwnDataForColors()
  }

  /// - Throws: `DatasetError.ambiguousFormat` where other data lie beside recordings of events.
  private func requireOneFormat() throws {
    let events = EventFormat.found(at: path).map(\.rawValue)
    let images = try ImageFormat.foundBesideEvents(
      at: path, splits: trainingSplits + validationSplits)
    guard events.count + images.count > 1 else { return }
    throw DatasetError.ambiguousFormat(path: path, formats: events + images.map(\.rawValue))
  }

  /// Samples to learn from. A collective, as the other methods are.
  ///
  /// - Throws: `DatasetError`, `ConfigurationError`; `DifferentData` where ranks see different samples.
  package func openTraining() throws -> any SampleSource {
    guard let share = configuration.data.heldOutShare else { return try openTrainingSplit() }
    return try openDivided(share).training
  }

  /// Samples to measure the accuracy on.
  package func openValidation() throws -> any SampleSource {
    if let parts = try openDividedToValidate() { return parts.heldOut }
    do {
      return try open(validationSplits, .validation)
    } catch DatasetError.missingSplit(let path, let splits, _)
      where configuration.data.validation == nil
    {
      let remedy =
        configuration.data.sharding == .nodeLocal
        ? "make the shards again with sltt-dist shard --hold-out 0.1"
        : "set data.hold_out to 0.1 to hold out a tenth of the training images"
      // Where it is called otherwise, or has no name of its own.
      let learnt =
        (try? openImages(trainingSplits, isAlone: true)).map { place(of: $0) }
        ?? configuration.data.train
      throw configuration.error(
        "data.validation",
        "is left out, and \(path) has none of \(splits.prefix(5).joined(separator: ", ")): \(remedy),"
          + " name the directory of other images, or set it to \(learnt) to measure on"
          + " the images that are learnt from")
    }
  }

  /// Both.
  func open() throws -> (training: any SampleSource, validation: any SampleSource) {
    if let parts = try openDividedToValidate() { return (parts.training, parts.heldOut) }
    return (try openTraining(), try openValidation())
  }

  /// The training images in two parts, where one of them validates.
  func openDividedToValidate() throws -> (training: ImageSubset, heldOut: ImageSubset)? {
    try shareToValidateOn.map(openDivided)
  }

  /// Whether there are images that are no training images.
  func hasValidation() throws -> Bool {
    // What is called as a split is a class there.
    guard configuration.data.train != "." else { return false }
    do {
      _ = try open(validationSplits, .validation)
      return true
    } catch DatasetError.missingSplit {
      return false
    }
  }

  /// Of the training images; nil where others validate.
  private var shareToValidateOn: Double? {
    configuration.data.validation == nil ? configuration.data.heldOutShare : nil
  }

  private func openTrainingSplit() throws -> any SampleSource {
    try open(trainingSplits, .training)
  }

  private func openDivided(
    _ share: Double
  ) throws -> (training: ImageSubset, heldOut: ImageSubset) {
    guard let images = try openTrainingSplit() as? any ImageSource else {
      throw configuration.error(
        "data.hold_out",
        "divides images, and these are recordings of events, whose data sets have some to validate on:"
          + " remove it")
    }
    let parts = images.holdingOut(share)
    guard parts.heldOut.count > 0 else {
      throw DatasetError.nothingHeldOut(path: images.location)
    }
    return parts
  }

  /// Class names; a label is a position in this list. They are those of the validation split, which is
  /// the smaller one; no frames are made.
  func classes() throws -> [String] {
    guard let eventFormat else { return try openValidation().classes }
    return try EventFrames.classes(
      eventFormat, configuration.data.convention, path: path, split: .validation,
      rule: configuration.frameRule)
  }

  /// A split of images, for messages: the data set's name and the split's.
  func name(of split: any SampleSource) -> String {
    let place = place(of: split)
    return (place == "." ? name : "\(name)/\(place)")
      + (split is ImageSubset && shareToValidateOn != nil ? ", held out" : "")
  }

  /// Where a split of images is in the data set.
  private func place(of split: any SampleSource) -> String {
    let place = split.location.dropFirst(path.count + 1)
    return place.isEmpty ? "." : String(place)
  }

  /// What people should know of the splits.
  func notes(training: any SampleSource, validation: any SampleSource) -> [SplitNote] {
    let parts = [(training, trainingSplits), (validation, validationSplits)]
    return parts.prefix(shareToValidateOn == nil ? 2 : 1).flatMap { source, splits in
      (source as? any ImageSource)?.notes(in: path, splits: splits) ?? source.notes
    }
  }

  /// Of images, as the next.
  private var trainingSplits: [String] {
    let name = configuration.data.train
    return name == Configuration().data.train ? ImageDataset.trainingSplits : [name]
  }

  private var validationSplits: [String] {
    configuration.data.validation.map { [$0] } ?? ImageDataset.validationSplits
  }

  /// - Parameter imageSplits: the first of them that is there counts.
  private func open(
    _ imageSplits: [String], _ eventSplit: EventSplit
  ) throws -> any SampleSource {
    communicator.activity.enter(.openingData)
    let source: any SampleSource =
      if let eventFormat {
        try configuration.openEvents(
          eventFormat, path, eventSplit, progress: communicator.activity.touch)
      } else {
        try openImages(imageSplits)
      }
    // An image folder is listed by rank 0 for all. Of everything else each rank has an index, or an archive,
    // of its own.
    if !(source is ImageFolder) { try communicator.checkSameSamples(of: source) }
    return source
  }

  /// - Parameter isAlone: whether other ranks do not open them; else this is a collective.
  private func openImages(
    _ splits: [String], isAlone: Bool = false
  ) throws -> any ImageSource {
    let channels = configuration.inputChannels
    guard [1, 3].contains(channels) else {
      throw configuration.error(
        "model.input_channels",
        "= \(channels), but images have 1 channel (gray) or 3 (colour), and only recordings of"
          + " events have 2: set it to 1 or 3, or leave it out")
    }
    let format = try imageFormat()
    if configuration.data.sharding == .nodeLocal && format != .shards {
      throw configuration.error(
        "data.sharding",
        "= node-local, but \(path) is not sharded: make shards with sltt-dist shard, or set it to"
          + " global")
    }
    let communicator = communicator
    return try ImageDataset.open(
      path: path, splits: splits, format: format,
      listing: isAlone
        ? .alone
        : FolderListing.Method(
          isRoot: communicator.isRoot, broadcast: { try communicator.broadcast($0, root: 0) },
          progress: communicator.activity.touch, report: { print($0) }))
  }

  /// - Throws: `ConfigurationError` where `data.format` says another than may be there.
  private func imageFormat() throws -> ImageFormat {
    let splits = trainingSplits + validationSplits
    guard let format = ImageFormat(rawValue: configuration.data.format.rawValue) else {
      return try ImageFormat(detecting: path, splits: splits)
    }
    let found = try ImageFormat.found(at: path, splits: splits)
    // Of a directory, only the search for a split can tell whether there is an image folder in it.
    guard found.contains(format) || format == .imageFolder && found != [.archive] else {
      let names = found.map(\.rawValue).joined(separator: " and ")
      throw configuration.error(
        "data.format", "is \(format.rawValue), but \(path) looks like \(names): leave it at auto")
    }
    return format
  }
}

extension Configuration {
  /// - Throws: `ConfigurationError` where a recipe for colour images would train on the embedded digits.
  fileprivate func requireOwnDataForColors() throws {
    guard data.path == nil, data.normalization.channels == 3 else { return }
    throw error(
      "data.normalization",
      "= \(data.normalization.rawValue) is for colour images, but without data.path the data are the"
        + " embedded gray digits: set data.path")
  }
}
