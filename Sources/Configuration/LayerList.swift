import SpikingNetworks
internal import Yams

/// A network written layer by layer.
public struct LayerList: Sendable {
  public let parts: [Part]
  /// The file's lines in which parts begin, in the order of `NetworkError.Layer.number`; nil where there is
  /// no line.
  let lines: [Int?]

  /// - Parameter parts: of a network that is not from a file.
  public init(_ parts: [Part]) { (self.parts, lines) = (parts, []) }
}

extension LayerList: ConfigurationValue {
  static var kind: String { [Part].kind }

  init?(_ node: Node) {
    guard let list = try? Self.read(node, limit: .none) else { return nil }
    self = list
  }

  static func read(
    _ node: Node, limit: Limit<LayerList>
  ) throws(ConfigurationMisfit) -> LayerList {
    let parts = try [Part].read(node, limit: .none)
    return LayerList(parts: parts, lines: lines(of: node, parts))
  }

  private init(parts: [Part], lines: [Int?]) { (self.parts, self.lines) = (parts, lines) }

  var yaml: String { parts.yaml }

  /// Depth first; a residual's shortcut comes after its branch, wherever it is written.
  private static func lines(of list: Node, _ parts: [Part]) -> [Int?] {
    zip(list.sequence ?? [], parts).flatMap { node, part -> [Int?] in
      let parameters = node.mapping?.first?.value
      func lines(in name: String, _ parts: [Part]) -> [Int?] {
        parameters?[name].map { Self.lines(of: $0, parts) } ?? []
      }
      let inner: [Int?] =
        switch part {
        case .sequence(let part): lines(in: "layers", part.layers)
        case .repetition(let part): lines(in: "layers", part.layers)
        case .residual(let part):
          lines(in: "branch", part.branch)
            + (parameters?["shortcut"]?.sequence == nil
              ? part.shortcut.map { _ in parameters?["shortcut"]?.mark?.line }
              : lines(in: "shortcut", part.shortcut))
        default: []
        }
      return [node.mark?.line] + inner
    }
  }
}
