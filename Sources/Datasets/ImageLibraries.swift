internal import CArchive
internal import CPNG
internal import CTurboJPEG
import Foundation

/// The versions of the libraries that read images and archives, as they are loaded.
public enum ImageLibraries {
  /// libjpeg-turbo's, such as "2.1.5".
  public static var jpegVersion: String {
    // No function tells it, but the library holds the line that its programs print.
    // The kernel gives files of its own page by page, which `String(contentsOfFile:)` takes for the end.
    let maps = FileHandle(forReadingAtPath: "/proc/self/maps")?.readDataToEndOfFile() ?? Data()
    let path = String(decoding: maps, as: UTF8.self).split(separator: "\n")
      .first { $0.contains("/libturbojpeg.so") }
      .flatMap { $0.firstIndex(of: "/").map($0.suffix(from:)) }
    let label = Data("libjpeg-turbo version ".utf8)
    guard let path, let library = try? Data(contentsOf: URL(fileURLWithPath: String(path))),
      let place = library.firstRange(of: label)
    else { return "unknown" }
    let version = library[place.upperBound...].prefix { $0 > UInt8(ascii: " ") }
    return String(decoding: version, as: UTF8.self)
  }

  /// libpng's, such as "1.6.39".
  public static var pngVersion: String {
    let number = png_access_version_number()
    return "\(number / 10000).\(number / 100 % 100).\(number % 100)"
  }

  /// libarchive's with those of the compressors it has, such as "3.6.2 zlib/1.2.13 liblzma/5.4.1".
  public static var archiveVersion: String {
    let details = String(cString: archive_version_details()).split(separator: " ")
    return details.drop { $0 == "libarchive" }.joined(separator: " ")
  }
}
