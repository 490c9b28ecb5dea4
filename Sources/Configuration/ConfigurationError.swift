import Foundation

/// A configuration that cannot be used: where, which key, and what to do about it.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// Where a value came from.
  public enum Origin: Equatable, Sendable, CustomStringConvertible {
    case file(String, line: Int?)
    /// `--set` with this argument.
    case override(String)
    /// Another option, with its value.
    case option(String)
    /// Chosen to suit the data.
    case data

    public var description: String {
      switch self {
      case .file(let path, let line): line.map { "\(path):\($0)" } ?? path
      case .override(let argument): "--set \(argument)"
      case .option(let text): text
      case .data: "chosen from the data"
      }
    }

    /// The same file at another line, if one is given.
    func at(line: Int?) -> Origin {
      guard case .file(let path, _) = self, let line else { return self }
      return .file(path, line: line)
    }
  }

  public enum Problem: Equatable, Sendable {
    case unreadable(reason: String)
    case invalidYAML(String)
    /// An argument of `--set` without `=`, or without anything before it.
    case incompleteOverride(hasEquals: Bool)
    /// `allowed` is empty where there are too many to list.
    case unknownKey(nearest: String, allowed: [String] = [])
    /// A whole section was given a value.
    case isSection
    case duplicateKey
    case noValue
    case wrongType(found: String, expected: String)
    case notAllowed(found: String, allowed: [String], nearest: String)
    /// Allowed by itself, but not together with other values; the text follows the key's name.
    case impossible(String)
  }

  /// Dotted name of the key, or the section, or what was given in their place.
  public let key: String
  /// nil if the key has its default value.
  public let origin: Origin?
  public let problem: Problem

  public var description: String {
    (origin.map { "\($0): " } ?? "configuration: ") + message
  }

  private var isOfFile: Bool {
    if case .file = origin { true } else { false }
  }

  private var message: String {
    switch problem {
    case .unreadable(let reason):
      "cannot read the configuration: \(reason)"
    case .invalidYAML(let reason):
      "invalid YAML: \(reason)"
    case .incompleteOverride(let hasEquals):
      "expected KEY=VALUE, such as training.epochs=3, but there is no "
        + (hasEquals ? "key before the =" : "=")
    case .unknownKey(let nearest, let allowed):
      "unknown key '\(key)'; did you mean '\(nearest)'?"
        + (allowed.isEmpty ? "" : " Allowed are \(allowed.joined(separator: ", "))")
    case .isSection:
      "'\(key)' is a section: set its keys one by one"
    case .duplicateKey:
      "'\(key)' is given more than once: keep one of them"
    case .noValue:
      "\(key) has no value: "
        + (isOfFile
          ? "write one, in quotes if it begins with #, & or !, or leave the key out"
          : "write one after the =, or leave the option out")
    case .wrongType(let found, let expected):
      "\(key) is \(found), but must be \(expected)"
    case .notAllowed(let found, let allowed, let nearest):
      "\(key) is '\(found)'; did you mean '\(nearest)'?"
        + " Allowed are \(allowed.joined(separator: ", "))"
    case .impossible(let reason):
      "\(key) \(reason)"
    }
  }
}

extension ConfigurationError: LocalizedError {
  public var errorDescription: String? { description }
}

extension Configuration {
  /// An error about a key's value, with the place where it was set.
  ///
  /// - Parameter problem: follows the key's name: "= 3 exceeds …: lower it".
  public func error(_ key: String, _ problem: String) -> ConfigurationError {
    ConfigurationError(key: key, origin: origins[key], problem: .impossible(problem))
  }
}
