internal import COpenMPI

/// The MPI library that is loaded, whether MPI is initialised or not.
public enum MPILibrary {
  /// Its own words, the first two of them: "Open MPI v4.1.4, package: Debian OpenMPI".
  public static var version: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1)
    var length: Int32 = 0
    guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return "unknown" }
    let all = String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return all.split(separator: ",").prefix(2).joined(separator: ",")
  }
}
