/// A part where it stands in a network, with its path. Repetitions are written out.
struct PlacedPart: Sendable {
  let part: Part
  /// Of a layer or a group; of a residual, that of the group around it.
  let path: String
  /// Which of the written parts it is, counted depth first.
  let number: Int
  /// Of a group its parts; of a residual those of the branch, and then those of the shortcut.
  let children: [PlacedPart]

  /// Whether it is nothing but its children.
  var isGroup: Bool {
    switch part {
    case .sequence, .repetition: true
    default: false
    }
  }

  /// The name of the learnt gain of a residual's branch.
  var gain: String? {
    guard case .residual(let residual) = part, residual.skipInit != nil else { return nil }
    return path.isEmpty ? "skipinit_gain" : path + ".skipinit_gain"
  }

  /// The parts of a residual's branch.
  var branch: [PlacedPart] { children.dropLast(shortcut.count) }
  /// The parts of a residual's shortcut.
  let shortcut: [PlacedPart]

  init(part: Part, path: String, number: Int, children: [PlacedPart], shortcut: [PlacedPart] = []) {
    (self.part, self.path, self.number) = (part, path, number)
    (self.children, self.shortcut) = (children, shortcut)
  }
}

extension [PlacedPart] {
  /// The parts of a network in their places.
  ///
  /// - Precondition: `parts.expandedCount` is of a size that memory holds.
  init(_ parts: [Part]) {
    var (group, number) = (Group(), 0)
    self = group.place(parts, &number)
  }

  /// Its parts without groups, in the order of the forward pass.
  var layers: [PlacedPart] { flatMap { $0.isGroup ? $0.children.layers : [$0] } }

  /// The gains of residuals that are in no group below this one, which they belong to.
  var gains: [String] {
    filter { !$0.isGroup }.flatMap { part in [part.gain].compactMap { $0 } + part.children.gains }
  }
}

/// A group while its parts get their places.
private struct Group {
  private let path: String?
  /// Of the next part.
  private var position = 0

  init(_ path: String? = nil) { self.path = path }

  /// The path of the next part.
  private mutating func next(_ name: PartName?) -> String {
    defer { position += 1 }
    let name = name?.description ?? "\(position)"
    return path.map { "\($0).\(name)" } ?? name
  }

  /// - Parameter number: of the next written part.
  mutating func place(_ parts: [Part], _ number: inout Int) -> [PlacedPart] {
    parts.flatMap { part -> [PlacedPart] in
      let own = number
      number += 1
      switch part {
      case .sequence(let sequence):
        return [group(sequence.layers, next(sequence.name), part, own, &number)]
      case .repetition(let repetition):
        guard let name = repetition.name else { return copies(of: repetition, own, &number) }
        let path = next(name)
        var inner = Group(path)
        return [
          PlacedPart(
            part: part, path: path, number: own,
            children: inner.copies(of: repetition, own, &number))
        ]
      case .residual(let residual):
        let branch = place(residual.branch, &number)
        let shortcut = place(residual.shortcut, &number)
        return [
          PlacedPart(
            part: part, path: path ?? "", number: own, children: branch + shortcut,
            shortcut: shortcut)
        ]
      default: return [PlacedPart(part: part, path: next(part.name), number: own, children: [])]
      }
    }
  }

  /// The parts of a repetition as groups without a name.
  private mutating func copies(
    of repetition: RepetitionPart, _ own: Int, _ number: inout Int
  ) -> [PlacedPart] {
    (0..<repetition.times).map { _ in
      number = own + 1
      return group(repetition.layers, next(nil), .repetition(repetition), own, &number)
    }
  }

  /// A group among this one's parts.
  private func group(
    _ parts: [Part], _ path: String, _ part: Part, _ own: Int, _ number: inout Int
  ) -> PlacedPart {
    var inner = Group(path)
    return PlacedPart(
      part: part, path: path, number: own, children: inner.place(parts, &number))
  }
}
