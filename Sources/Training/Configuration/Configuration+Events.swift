import Datasets

extension Configuration {
  /// The format of `data.path` if that holds recordings of events: as configured, or as found there.
  var eventFormat: EventFormat? {
    guard data.format == .auto else { return EventFormat(rawValue: data.format.rawValue) }
    return data.path.flatMap { EventFormat.found(at: $0).first }
  }

  /// How recordings become frames.
  var frameRule: FrameRule { data.frames ?? .number(method.timesteps, by: .number) }

  func validateFrames() throws {
    guard case .number(let number, _) = data.frames, number != method.timesteps else { return }
    throw error(
      "data.frames",
      "has number \(number), but method.timesteps is \(method.timesteps): a time step sees one"
        + " frame, so make them equal")
  }

  /// Opens a split of recordings.
  ///
  /// - Parameter progress: is called whenever the work that this may be gets on.
  /// - Throws: `ConfigurationError` where keys do not suit events, `DatasetError`.
  func openEvents(
    _ format: EventFormat, _ path: String, _ split: EventSplit,
    progress: @escaping @Sendable () -> Void
  ) throws -> EventFrames {
    guard inputChannels == 2 else {
      throw error(
        "model.input_channels",
        "= \(inputChannels), but recordings of events have 2 polarities: set it to 2 or leave it out"
      )
    }
    for (name, substitute) in [
      ("data.augmentation", "data.event_augmentation"),
      ("data.normalization", "data.event_normalization"),
    ] {
      guard let key = Self.keys.first(where: { $0.name == name }) else { continue }
      let value = key.yaml(self)
      guard value == key.yaml(Configuration()) || value == "none" else {
        throw error(name, "is for images, not for recordings: set \(substitute) instead")
      }
    }
    return try EventFrames(
      format, data.convention, path: path, split: split, rule: frameRule,
      timesteps: method.timesteps, progress: progress, report: { print($0) })
  }

  /// The first key that is set and means something for events only.
  var firstEventKey: String? {
    [
      "data.convention", "data.frames", "data.event_augmentation", "data.event_normalization",
    ].first { name in
      Self.keys.contains { $0.name == name && $0.yaml(self) != $0.yaml(Configuration()) }
    }
  }

  /// - Throws: `ConfigurationError` where keys for events are set for data that are images.
  func requireNoEventKeys() throws {
    guard let firstEventKey else { return }
    throw error(
      firstEventKey,
      data.path.map {
        "is for recordings of events, but there are none in \($0): check data.path"
      }
        ?? "is for recordings of events: set data.path to some")
  }

  func eventTransform(isTraining: Bool) -> EventTransform {
    EventTransform(
      augmentation: isTraining ? data.eventAugmentation : nil,
      normalization: data.eventNormalization, imageSize: data.imageSize)
  }
}
