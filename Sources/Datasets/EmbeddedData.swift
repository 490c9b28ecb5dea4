import Foundation

/// The data set that belongs to the program: 5,000 MNIST digits (see Resources/README.md).
public enum EmbeddedData {
  /// The path of the archive with splits `train` and `val`, 28x28 pixels, grayscale, 10 classes.
  ///
  /// Looks beside the executable first, wherever that was started from and through whichever
  /// symbolic links, then at the place where the program was built.
  public static func mnistPath() throws(DatasetError) -> String {
    try resource("mnist5k.tar.xz", executable: executableURL, sources: sourceDirectory)
  }

  /// `Bundle.module` finds resources as well, but traps where there are none.
  static func resource(
    _ name: String, executable: URL?, sources: URL
  ) throws(DatasetError) -> String {
    let bundle = "sltt-dist_Datasets.resources"
    let candidates = [
      executable?.resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent(bundle),
      sources,
    ].compactMap { $0?.appendingPathComponent("Resources").appendingPathComponent(name).path }
    guard let path = candidates.first(where: FileManager.default.fileExists) else {
      throw .embeddedDataMissing(searched: candidates)
    }
    return path
  }

  private static var executableURL: URL? { Bundle.main.executableURL }

  private static var sourceDirectory: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  }
}
