import Foundation
import Support

/// A configuration that comes with the program, `configs/NAME.yaml`. What it needs and reaches stands in
/// the comment at its head.
public struct Recipe: Sendable {
  public let name: String
  public let path: String
  /// What it trains, in a sentence.
  public let title: String
  /// What `data.path` is to be.
  public let data: String?
  /// Samples of an epoch, and their classes.
  public let samples: Int?
  public let classes: Int?
  /// What was published, or reached.
  public let accuracy: String?

  /// Reads the comment at the head of a file.
  init(name: String, path: String) throws {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let head = text.split(separator: "\n").prefix { $0.hasPrefix("#") }
      .map { $0.dropFirst().trimmingCharacters(in: .whitespaces) }
    func value(_ label: String) -> String? {
      head.first { $0.hasPrefix(label + ": ") }.map { String($0.dropFirst(label.count + 2)) }
    }
    (self.name, self.path) = (name, path)
    title = head.first ?? name
    (data, accuracy) = (value("data.path"), value("Accuracy"))
    let counts = value("Samples")?.wholeMatch(of: /([\d,]+) of ([\d,]+) classes\./)
    samples = counts.flatMap { Int($0.1.filter(\.isNumber)) }
    classes = counts.flatMap { Int($0.2.filter(\.isNumber)) }
  }

  /// All that come with the program, by name.
  ///
  /// - Throws: `RecipesMissing`, or where one cannot be read.
  public static func all() throws -> [Recipe] {
    guard let directory else { throw RecipesMissing(searched: places.map(\.path)) }
    return try names(in: directory).map {
      try Recipe(name: $0, path: directory.appendingPathComponent($0 + ending).path)
    }
  }

  /// The file that `--config` means: a file of that name, or else a recipe, with or without its ending.
  ///
  /// - Throws: `ConfigurationError` where there is neither.
  public static func file(named name: String) throws(ConfigurationError) -> String {
    guard !name.contains("/"), (try? FileKind(path: name)) != .file, let directory else {
      return name
    }
    let recipe = name.hasSuffix(ending) ? String(name.dropLast(ending.count)) : name
    let names = names(in: directory)
    if names.contains(recipe) { return directory.appendingPathComponent(recipe + ending).path }
    guard recipe == name, !FileManager.default.fileExists(atPath: name), !names.isEmpty else {
      return name
    }
    throw ConfigurationError(
      key: "", origin: .file(name, line: nil),
      problem: .unreadable(
        reason: "no such file, and no recipe of this name; did you mean"
          + " '\(nearestName(to: name, in: names))'? There are \(names.joined(separator: ", "))"))
  }

  private static let ending = ".yaml"

  private static func names(in directory: URL) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? [])
      .filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }
      .map { String($0.dropLast(ending.count)) }.sorted()
  }

  private static var directory: URL? {
    places.first { !names(in: $0).isEmpty }
  }

  private static var places: [URL] {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return ProgramFiles.places(of: "configs", sources: sources.appendingPathComponent("configs"))
  }
}

/// The recipes are in none of the places where they may be.
public struct RecipesMissing: Error, CustomStringConvertible {
  let searched: [String]

  public var description: String {
    "the recipes were not found in: \(searched.joined(separator: ", ")). Put the directory configs"
      + " beside the program, or give a file to --config."
  }
}
