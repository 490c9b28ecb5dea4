/// Random settings of a configuration, ordinary and extreme ones, as `--set` takes them: equal for equal
/// seeds.
public struct ConfigurationGenerator {
  /// A key, as the table of keys describes it.
  public struct Key: Sendable {
    let name: String
    /// What values it takes: "one of sltt, sltt-k, bptt".
    let values: String
    /// The values at the ends of its range.
    let edges: [String]

    public init(name: String, values: String, edges: [String]) {
      (self.name, self.values, self.edges) = (name, values, edges)
    }
  }

  private let keys: [Key]
  private var random: SeededGenerator

  public init(_ keys: [Key], seed: UInt64) {
    self.keys = keys
    random = SeededGenerator(seed: seed)
  }

  /// `key=value` for one to six keys. In two of three cases every value by itself is one that its key takes.
  public mutating func overrides() -> [String] {
    let areFitting = Int.random(in: 0..<3, using: &random) > 0
    return keys.shuffled(using: &random).prefix(Int.random(in: 1...6, using: &random)).map { key in
      let isFitting = areFitting || Bool.random(using: &random)
      return key.name + "=" + (isFitting ? fitting(key) : unfitting(key))
    }
  }

  private mutating func one(of values: [String]) -> String { values.randomElement(using: &random)! }

  private mutating func fitting(_ key: Key) -> String {
    if key.values.contains("list of numbers") { return one(of: Self.weights) }
    if key.values.contains("list of integers") { return one(of: key.edges + Self.lists) }
    if key.values.contains("list of up to") && Bool.random(using: &random) {
      let parts = one(of: Self.steps).split(separator: "N", omittingEmptySubsequences: false)
      return "[" + parts.dropFirst().reduce(String(parts[0])) { $0 + one(of: Self.small) + $1 }
        + "]"
    }
    if let choices = key.values.firstRange(of: "one of ") {
      return one(of: key.values[choices.upperBound...].split(separator: ", ").map { String($0) })
    }
    if key.values.hasPrefix("an integer") {
      return one(of: key.edges + ["1", "2", "3", "5", "8", "16", "33", "64"])
    }
    if key.values.hasPrefix("a number") {
      return one(of: key.edges + ["0.1", "0.5", "0.9", "1", "1.5", "20"])
    }
    if key.values.hasPrefix("true") { return one(of: ["true", "false"]) }
    return one(of: Self.mappings)
  }

  private mutating func unfitting(_ key: Key) -> String {
    let beyond = key.edges.flatMap { edge -> [String] in
      if let number = Int(edge) { return ["\(number &- 1)", "\(number &+ 1)", "\(number)0"] }
      return Double(edge).map { ["\(-$0)", "\($0 * 10)", "\($0 / 10)"] } ?? []
    }
    return one(of: beyond + Self.odd)
  }

  private static let lists = ["[1]", "[1, 1]", "[2, 1, 3]", "[1, 1, 1, 1, 1]", "[40, 1]"]
  private static let weights = ["[1]", "[0.5, 1, 1, 2]", "[0, 1]", "[1e30, 0.0, 1, 1]"]
  private static let small = ["0", "1", "2", "0.5", "7", "16384", "0.001", "1000"]
  private static let mappings = [
    "{number: 4}", "{number: 10000, split_by: time}", "{duration: 1}", "{duration: 2147483647}",
    "{flip: true, shift: 16384, roll: 3}", "{roll: 0}",
  ]
  /// Each `N` becomes a number.
  private static let steps = [
    "resize: {size: N}", "center_crop: {size: N}", "random_crop: {padding: N}",
    "random_crop, random_resized_crop: {scale: [0, N], ratio: [0.001, N]}",
    "random_crop, color_jitter: {brightness: N, contrast: N, saturation: N, hue: 0.5}",
    "random_crop, rand_augment: {num_ops: N, magnitude: N, num_magnitude_bins: 1000}",
    "center_crop, trivial_augment: {num_magnitude_bins: N}",
    "center_crop, auto_augment: {policy: cifar10, fill: N}",
    "center_crop, random_erasing: {p: 1, scale: [0, 1], ratio: [0.001, N], value: N}",
    "center_crop, cutout: {size: N}", "center_crop, gray_cutout: {p: 1, ratio: [0.001, N]}",
  ]
  private static let odd = [
    "", " ", "null", "~", "0", "-1", "-0.0", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "18446744073709551616", "1e300", "-1e300", "1e-300", "1e999", "nan",
    "inf", "-inf", ".inf", ".nan", "0x10", "1_000", "١", "#", "&a", "*a", "!t", "@", "[", "{", "[]",
    "{}", "[[]]", "- 1", "a: b", "text", "null null", "\t", "\n", "é", "\u{301}", "\u{2028}",
    "[1, 1e300]", "[-1, 0]", "[1, 9223372036854775807]", "{number: -1}", "{duration: 0}",
    "[" + Array(repeating: "1", count: 65).joined(separator: ", ") + "]",
    "[" + Array(repeating: "center_crop", count: 5000).joined(separator: ", ") + "]",
    "[random_erasing: {ratio: [1, 1e300]}]", "[color_jitter: {brightness: 1e300}]",
    String(repeating: "[", count: 2000), String(repeating: "x", count: 20_000),
  ]
}
