import Datasets
internal import Yams

extension FrameRule: ConfigurationValue {
  static var kind: String {
    "{number: FRAMES, split_by: number or time} or {duration: MICROSECONDS}"
  }

  init?(_ node: Node) {
    guard let entries = node.entries(allowed: ["number", "split_by", "duration"]) else {
      return nil
    }
    switch (entries["number"], entries["split_by"], entries["duration"]) {
    case (let number?, let division, nil):
      guard let number = Int(number), Limit.timesteps.admits(number),
        let division = division.map(Division.init) ?? .number
      else { return nil }
      self = .number(number, by: division)
    case (nil, nil, let duration?):
      guard let duration = Int(duration), Limit.count.admits(duration) else { return nil }
      self = .duration(duration)
    default: return nil
    }
  }

  var yaml: String { description }
}

extension EventAugmentation: ConfigurationValue {
  static var kind: String { "a mapping such as {flip: true, shift: 2, roll: 5}" }

  init?(_ node: Node) {
    guard let entries = node.entries(allowed: ["flip", "shift", "roll"]) else { return nil }
    self.init()
    if let node = entries["flip"] {
      guard let value = Bool(node) else { return nil }
      flips = value
    }
    for (name, path) in [("shift", \EventAugmentation.shift), ("roll", \.roll)] {
      guard let node = entries[name] else { continue }
      guard let value = Int(node), value == 0 || Limit.side.admits(value) else { return nil }
      self[keyPath: path] = value
    }
  }

  var yaml: String { "{flip: \(flips), shift: \(shift), roll: \(roll)}" }
}

extension Node {
  /// The entries of a mapping; nil for anything else, and for other keys than those allowed.
  fileprivate func entries(allowed: Set<String>) -> [String: Node]? {
    guard let mapping else { return nil }
    var entries: [String: Node] = [:]
    for (key, value) in mapping {
      guard let name = key.string, allowed.contains(name) else { return nil }
      entries[name] = value
    }
    return entries
  }
}
