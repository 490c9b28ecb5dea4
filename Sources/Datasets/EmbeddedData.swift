import Foundation
import Support

/// The data set that belongs to the program: 5,000 MNIST digits (see Resources/README.md).
public enum EmbeddedData {
  /// The path of the archive with splits `train` and `val`, 28x28 pixels, grayscale, 10 classes.
  public static func mnistPath() throws(DatasetError) -> String {
    try resource(
      "mnist5k.tar.xz",
      places: ProgramFiles.places(of: "sltt-dist_Datasets.resources", sources: sourceDirectory))
  }

  /// `Bundle.module` finds resources as well, but traps where there are none.
  static func resource(_ name: String, places: [URL]) throws(DatasetError) -> String {
    let candidates = places.map {
      $0.appendingPathComponent("Resources").appendingPathComponent(name).path
    }
    guard let path = candidates.first(where: FileManager.default.fileExists) else {
      throw .embeddedDataMissing(searched: candidates)
    }
    return path
  }

  private static var sourceDirectory: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  }
}
