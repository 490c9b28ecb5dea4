import Foundation
import SpikingNetworks
import Support

/// Predictions, a line each, of CSV or JSON, as they are made or in a file.
struct PredictionTable {
  private let names: [String]
  private let top: Int
  private let isJSON: Bool
  /// nil: the standard output.
  private let file: ResultFile?
  private var count = 0

  /// - Parameters:
  ///   - path: of the file, which appears when it is complete; nil: the standard output.
  ///   - names: of the classes.
  ///   - top: classes of each sample, if there are as many.
  /// - Throws: `FileError` where the file cannot be written.
  init(path: String?, names: [String], top: Int, isJSON: Bool) throws {
    (self.names, self.top, self.isJSON) = (names, min(top, names.count), isJSON)
    let kind = ResultKind(
      isJSON ? "file of predictions in JSON lines" : "CSV file of predictions",
      beginning: isJSON ? "{\"class\":" : "path,class,probability",
      marks: isJSON ? ["\"path\":", "\"top\":[{\"class\":"] : [])
    file = try path.map { try ResultFile(path: $0, kind) }
    guard !isJSON else { return }
    let more = self.top > 1 ? (2...self.top).flatMap { ["class_\($0)", "probability_\($0)"] } : []
    try write(csvLine(["path", "class", "probability"] + more))
  }

  private struct Line: Encodable {
    let path: String
    let `class`: String
    let probability: Float
    let top: [Guess]
  }

  private struct Guess: Encodable {
    let `class`: String
    let probability: Float
  }

  mutating func append(_ prediction: Prediction, of path: String) throws {
    let probabilities = prediction.probabilities
    let guesses = prediction.top(top).map {
      Guess(class: names[$0], probability: Float(probabilities[$0]))
    }
    try write(
      isJSON
        ? String(
          decoding: json(
            Line(
              path: path, class: guesses[0].class, probability: guesses[0].probability,
              top: guesses)), as: UTF8.self) + "\n"
        : csvLine([path] + guesses.flatMap { [$0.class, "\($0.probability)"] }))
    count += 1
  }

  private func write(_ text: String) throws {
    if let file { try file.append(Array(text.utf8)) } else { print(text, terminator: "") }
  }

  /// Puts the file in its place.
  func finish() throws {
    guard let file else { return }
    try file.finish()
    print("\(file.path): \(Format.counted(count, "prediction"))")
  }
}
