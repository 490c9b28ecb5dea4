import Foundation
import Support

extension RecordingList {
  /// Lists the samples of DVS128-Gesture: the recordings that the split's list of trials names, each
  /// with a table of labels in which a row is a sample: class from 1, start, end in microseconds.
  init(gestures path: String, split: EventSplit) throws(DatasetError) {
    let trials = split == .training ? "trials_to_train.txt" : "trials_to_test.txt"
    guard let directory = EventFormat.gestureDirectory(path) else {
      throw .noRecordings(
        path: path,
        expected: "trials_to_train.txt, trials_to_test.txt, *.aedat and *_labels.csv")
    }
    self.init(
      format: .dvsGesture, location: "\(directory)/\(trials)", classes: gestureClasses)
    var bytes: [UInt8] = []
    try onFiles(readFile(location, into: &bytes))
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let name = String(decoding: line, as: UTF8.self).trimmingCharacters(
        in: .whitespacesAndNewlines)
      guard !name.isEmpty else { continue }
      let recording = directory + "/" + name
      guard name.hasSuffix(".aedat") else {
        throw .malformed(sample: location, reason: "'\(name)' is not the name of an .aedat file")
      }
      guard FileManager.default.fileExists(atPath: recording) else {
        throw .notFound(path: recording)
      }
      let rows = try gestureLabels(ofFile: gestureTable(ofRecording: recording))
      append(recording, windows: rows.map(\.window), labels: rows.map(\.label))
    }
    guard !labels.isEmpty else {
      throw .noRecordings(path: location, expected: "names of .aedat files, one a line")
    }
  }
}

/// SpikingJelly puts the samples of gestures 1 to 11 into folders 0 to 10, and labels them by the
/// position of the folder among the names, sorted as strings: 0, 1, 10, 2, …. Published networks were
/// trained on these labels.
private let gestureClasses = (0...10).map(String.init).sortedByBytes()

/// Where the labels of a recording are.
func gestureTable(ofRecording path: String) -> String {
  path.dropLast(".aedat".count) + "_labels.csv"
}

/// The rows of a file that is a table of labels.
func gestureLabels(
  ofFile path: String
) throws(DatasetError) -> [(label: Int32, window: Range<Int64>)] {
  var text: [UInt8] = []
  try onFiles(readFile(path, into: &text))
  do {
    return try gestureLabels(text)
  } catch {
    throw .malformed(sample: path, reason: error.reason)
  }
}

/// The rows of a table of labels, below its line of headings.
func gestureLabels(
  _ text: [UInt8]
) throws(RecordingFailure) -> [(label: Int32, window: Range<Int64>)] {
  var rows: [(label: Int32, window: Range<Int64>)] = []
  var offset = 0
  for (number, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    .enumerated()
  {
    defer { offset += line.count + 1 }
    let fields = String(decoding: line, as: UTF8.self).split(
      separator: ",", omittingEmptySubsequences: false
    ).map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    guard number > 0, fields != [""] else { continue }
    let values = fields.compactMap(Int64.init)
    guard values.count == 3, fields.count == 3, (1...11).contains(values[0]),
      0 <= values[1], values[1] <= values[2]
    else {
      throw RecordingFailure(
        atByte: offset,
        "a class from 1 to 11, a start and an end in microseconds are expected in line \(number + 1)"
      )
    }
    let label = gestureClasses.firstIndex(of: String(values[0] - 1))!
    rows.append((Int32(label), values[1]..<values[2]))
  }
  guard !rows.isEmpty else {
    throw RecordingFailure(atByte: offset, "a line for each gesture is expected below the headings")
  }
  return rows
}
