import Foundation

/// Directories that belong to the program and come with it.
public enum ProgramFiles {
  /// Where such a directory may be, in this order: beside the executable, beside its directory, in
  /// `share/sltt-dist` where it is installed in `bin`, beside the directory `.build` that it lies in, or where
  /// the program was built. The executable counts
  /// wherever it was started from and through whichever symbolic links.
  ///
  /// - Parameter sources: where it was built.
  public static func places(
    of directory: String, executable: URL? = Bundle.main.executableURL, sources: URL
  ) -> [URL] {
    let beside = executable?.resolvingSymlinksInPath().deletingLastPathComponent()
    let above = beside?.deletingLastPathComponent()
    let places = [
      beside, above, above?.appendingPathComponent("share").appendingPathComponent("sltt-dist"),
    ]
    return (places + [beside.flatMap(repository)])
      .compactMap { $0?.appendingPathComponent(directory) } + [sources]
  }

  /// The directory whose `.build` a directory is in.
  private static func repository(of directory: URL) -> URL? {
    guard let depth = directory.pathComponents.lastIndex(of: ".build") else { return nil }
    return (depth..<directory.pathComponents.count).reduce(directory) { place, _ in
      place.deletingLastPathComponent()
    }
  }
}
