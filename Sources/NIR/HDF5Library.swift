import Foundation

/// Why there is no HDF5 file.
public enum HDF5Error: Error, Equatable, CustomStringConvertible {
  /// No library can be loaded.
  case noLibrary
  /// The library has no such function or variable.
  case missingSymbol(String)
  /// A function of the library has failed.
  case failed(function: String)

  public var description: String {
    switch self {
    case .noLibrary:
      "this needs the HDF5 library, which cannot be loaded: install libhdf5, on Debian 12 with"
        + " apt-get install libhdf5-103-1"
    case .missingSymbol(let name): "the HDF5 library lacks \(name): install libhdf5 1.10 or newer"
    case .failed(let function): "the HDF5 library failed in \(function)"
    }
  }
}

/// The HDF5 library, which is loaded when it is first needed: few runs do, and it brings dozens of other libraries
/// into the process. Its reference manual documents the functions.
struct HDF5Library {
  /// `hid_t`, since HDF5 1.10.
  typealias Handle = Int64
  /// `herr_t`: negative where a call has failed.
  typealias Status = Int32

  /// Of HDF5 1.10, 1.14, 2.0 and 1.12, as Debian and others name it; then whichever is there to link with.
  static let names = [
    "libhdf5_serial.so.103", "libhdf5.so.103", "libhdf5_serial.so.310", "libhdf5.so.310",
    "libhdf5_serial.so.320", "libhdf5.so.320", "libhdf5.so.200", "libhdf5_serial.so", "libhdf5.so",
  ]

  /// `H5F_ACC_TRUNC`.
  static let truncate: UInt32 = 2
  /// `H5F_SCOPE_GLOBAL`.
  static let wholeFile: Int32 = 1
  /// `H5T_CSET_UTF8`.
  static let utf8: Int32 = 1
  /// `H5T_VARIABLE`.
  static let variableLength = UInt.max

  let float32, float64, int64, string: Handle
  let fileAccess, datasetCreation, linkCreation: Handle

  /// Closes what the handle stands for, whatever that is.
  let release: @convention(c) (Handle) -> Status
  let setErrorPrinter: @convention(c) (Handle, UnsafeRawPointer?, UnsafeRawPointer?) -> Status
  let createProperties: @convention(c) (Handle) -> Handle
  let setInMemory: @convention(c) (Handle, Int, Bool) -> Status
  let setMakesGroups: @convention(c) (Handle, UInt32) -> Status
  let setTracksTimes: @convention(c) (Handle, Bool) -> Status
  let setChunk: @convention(c) (Handle, Int32, UnsafePointer<UInt64>) -> Status
  let setDeflate: @convention(c) (Handle, UInt32) -> Status
  let copyType: @convention(c) (Handle) -> Handle
  let setSize: @convention(c) (Handle, UInt) -> Status
  let setCharacters: @convention(c) (Handle, Int32) -> Status
  let createFile: @convention(c) (UnsafePointer<CChar>, UInt32, Handle, Handle) -> Handle
  let flush: @convention(c) (Handle, Int32) -> Status
  let image: @convention(c) (Handle, UnsafeMutableRawPointer?, Int) -> Int
  let createSpace: @convention(c) (Int32, UnsafePointer<UInt64>, UnsafePointer<UInt64>?) -> Handle
  let createDataset:
    @convention(c) (Handle, UnsafePointer<CChar>, Handle, Handle, Handle, Handle, Handle) -> Handle
  let writeDataset:
    @convention(c) (Handle, Handle, Handle, Handle, Handle, UnsafeRawPointer?) -> Status

  /// - Parameter names: of the library's file; the first that can be loaded is taken.
  init(names: [String] = names) throws(HDF5Error) {
    let loaded = names.lazy.compactMap { dlopen($0, RTLD_NOW | RTLD_LOCAL) }.first
    guard let library = loaded else { throw .noLibrary }
    func address(_ name: String) throws(HDF5Error) -> UnsafeMutableRawPointer {
      guard let address = dlsym(library, name) else { throw .missingSymbol(name) }
      return address
    }
    func function<Signature>(_ name: String) throws(HDF5Error) -> Signature {
      unsafeBitCast(try address(name), to: Signature.self)
    }
    func handle(_ name: String) throws(HDF5Error) -> Handle {
      try address(name).load(as: Handle.self)
    }

    // Sets the handles below.
    let open: @convention(c) () -> Status = try function("H5open")
    guard open() >= 0 else { throw .failed(function: "H5open") }
    float32 = try handle("H5T_IEEE_F32LE_g")
    float64 = try handle("H5T_IEEE_F64LE_g")
    int64 = try handle("H5T_STD_I64LE_g")
    string = try handle("H5T_C_S1_g")
    fileAccess = try handle("H5P_CLS_FILE_ACCESS_ID_g")
    datasetCreation = try handle("H5P_CLS_DATASET_CREATE_ID_g")
    linkCreation = try handle("H5P_CLS_LINK_CREATE_ID_g")

    release = try function("H5Idec_ref")
    setErrorPrinter = try function("H5Eset_auto2")
    createProperties = try function("H5Pcreate")
    setInMemory = try function("H5Pset_fapl_core")
    setMakesGroups = try function("H5Pset_create_intermediate_group")
    setTracksTimes = try function("H5Pset_obj_track_times")
    setChunk = try function("H5Pset_chunk")
    setDeflate = try function("H5Pset_deflate")
    copyType = try function("H5Tcopy")
    setSize = try function("H5Tset_size")
    setCharacters = try function("H5Tset_cset")
    createFile = try function("H5Fcreate")
    flush = try function("H5Fflush")
    image = try function("H5Fget_file_image")
    createSpace = try function("H5Screate_simple")
    createDataset = try function("H5Dcreate2")
    writeDataset = try function("H5Dwrite")
  }
}
