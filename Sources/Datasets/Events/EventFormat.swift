import Foundation
import Support

/// The published forms of data sets of events.
public enum EventFormat: String, CaseIterable, Sendable {
  /// N-MNIST: `Train/<digit>/*.bin` and `Test/<digit>/*.bin`.
  case nmnist
  /// DVS128-Gesture: AEDAT 3.1 with `*_labels.csv`, `trials_to_train.txt`, `trials_to_test.txt`.
  case dvsGesture = "dvs-gesture"
  /// CIFAR10-DVS: AEDAT 2.0, `<class>/*.aedat`, read and split by an `EventConvention`.
  case cifar10DVS = "cifar10-dvs"
  /// Frames that SpikingJelly has stored, `frames_number_*/[train|test/]<class>/*.npz` or
  /// `duration_*/…`. Without directories `train` and `test` they are split as CIFAR10-DVS.
  case frames

  /// The pixels of the camera; `nil` where a file tells them.
  var sensor: Sensor? {
    switch self {
    case .nmnist: Sensor(width: 34, height: 34)
    case .dvsGesture, .cifar10DVS: Sensor(width: 128, height: 128)
    case .frames: nil
    }
  }

  /// The formats of what is in a directory; none where there are no recordings.
  public static func found(at path: String) -> [EventFormat] {
    let gestures = gestureDirectory(path) == nil ? [] : [EventFormat.dvsGesture]
    return gestures + (ofFiles(in: path).map { [$0] } ?? [])
  }

  /// By the files in the first directories.
  private static func ofFiles(in path: String) -> EventFormat? {
    var directory = path
    // The ending .bin alone does not make N-MNIST: CIFAR has it, too, and so has much else.
    var hasSplits = false
    for depth in 0...3 {
      let names = ((try? directoryEntries(directory)) ?? []).filter { !$0.hasPrefix(".") }
      if depth == 0, names.contains(where: isFrameDirectory) { return .frames }
      if depth == 0 { hasSplits = names.contains { ["train", "test"].contains($0.lowercased()) } }
      let files = names.filter { $0.contains(".") }
      if files.contains(where: { $0.hasSuffix(".npz") }), depth > 0 { return .frames }
      if files.contains(where: { $0.hasSuffix(".aedat") }), depth == 1 { return .cifar10DVS }
      if files.contains(where: { $0.hasSuffix(".bin") }), depth == 2, hasSplits {
        return .nmnist
      }
      let inner = names.filter { !$0.contains(".") }.sortedByBytes().first {
        (try? FileKind(path: directory + "/" + $0)) == .directory
      }
      guard let inner else { return nil }
      directory += "/" + inner
    }
    return nil
  }

  /// Whether SpikingJelly gives this name to directories of frames.
  static func isFrameDirectory(_ name: String) -> Bool {
    name.hasPrefix("frames_number_") || name.hasPrefix("duration_")
  }

  /// Where the trial lists of DVS128-Gesture are, at a path or in the directory of the published
  /// archive there.
  static func gestureDirectory(_ path: String) -> String? {
    [path, path + "/DvsGesture"].first {
      FileManager.default.fileExists(atPath: $0 + "/trials_to_train.txt")
    }
  }
}

/// The two parts of a data set.
public enum EventSplit: String, Sendable {
  case training = "train"
  case validation = "test"
}
