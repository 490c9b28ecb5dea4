internal import CMPI

/// The MPI library that is loaded, whether MPI is initialised or not.
public enum MPILibrary {
  /// Whether it is Open MPI, not MPICH or a relative of that.
  public static var isOpenMPI: Bool { version.hasPrefix("Open MPI") }

  /// Its own words, the first of them: "Open MPI v4.1.4, package: Debian OpenMPI", "MPICH Version: 4.0.2".
  public static var version: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1)
    var length: Int32 = 0
    guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return "unknown" }
    let all = String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    let line = all.prefix { !$0.isNewline }.replacing("\t", with: " ")
    return line.split(separator: ",").prefix(2).joined(separator: ",")
  }
}
