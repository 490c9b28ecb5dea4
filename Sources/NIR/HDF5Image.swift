import Foundation

/// An HDF5 file that is put together in memory. Paths within it begin with `/`; groups appear with what is in
/// them. The same calls give the same bytes.
final class HDF5Image {
  /// The library itself lets threads run into each other.
  private static let lock = NSLock()

  private let library: HDF5Library
  private let file: HDF5Library.Handle
  /// Makes the groups of a path.
  private let makesGroups: HDF5Library.Handle
  private let text: HDF5Library.Handle

  /// The bytes of a file that `body` fills.
  static func bytes(_ body: (HDF5Image) throws -> Void) throws -> [UInt8] {
    try lock.withLock {
      let image = try HDF5Image()
      try body(image)
      return try image.bytes()
    }
  }

  private init() throws(HDF5Error) {
    let library = try HDF5Library()
    self.library = library
    // Else it would print its own account of each error.
    _ = library.setErrorPrinter(0, nil, nil)
    let inMemory = try check(library.createProperties(library.fileAccess), "H5Pcreate")
    defer { _ = library.release(inMemory) }
    try check(library.setInMemory(inMemory, 1 << 20, false), "H5Pset_fapl_core")
    file = try check(library.createFile("image", HDF5Library.truncate, 0, inMemory), "H5Fcreate")
    makesGroups = try check(library.createProperties(library.linkCreation), "H5Pcreate")
    try check(library.setMakesGroups(makesGroups, 1), "H5Pset_create_intermediate_group")
    text = try check(library.copyType(library.string), "H5Tcopy")
    try check(library.setSize(text, HDF5Library.variableLength), "H5Tset_size")
    try check(library.setCharacters(text, HDF5Library.utf8), "H5Tset_cset")
  }

  deinit {
    for handle in [text, makesGroups, file] { _ = library.release(handle) }
  }

  /// Adds numbers, compressed; `values` row-major, as many as `shape` says.
  func write(_ path: String, _ values: [Float], shape: [Int]) throws(HDF5Error) {
    try write(path, values, shape, library.float32)
  }

  /// Adds integers; `values` row-major, as many as `shape` says.
  func write(_ path: String, _ values: [Int], shape: [Int]) throws(HDF5Error) {
    try write(path, values, shape, library.int64)
  }

  func write(_ path: String, _ value: Double) throws(HDF5Error) {
    try write(path, [value], [], library.float64)
  }

  /// Adds texts; `values` row-major, as many as `shape` says.
  func write(_ path: String, _ values: [String], shape: [Int] = []) throws(HDF5Error) {
    let copies = values.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    try write(path, copies, shape, text)
  }

  private func write<Element>(
    _ path: String, _ values: [Element], _ shape: [Int], _ type: HDF5Library.Handle
  ) throws(HDF5Error) {
    precondition(values.count == shape.reduce(1, *))
    let extents = shape.map { UInt64($0) }
    let rank = Int32(shape.count)
    let space = try check(library.createSpace(rank, extents, nil), "H5Screate_simple")
    defer { _ = library.release(space) }
    let creation = try check(library.createProperties(library.datasetCreation), "H5Pcreate")
    defer { _ = library.release(creation) }
    try check(library.setTracksTimes(creation, false), "H5Pset_obj_track_times")
    if values.count > 1 && type != text {
      // Most arrays of a neuron's parameters hold one number many times.
      try check(library.setChunk(creation, rank, extents), "H5Pset_chunk")
      try check(library.setDeflate(creation, 1), "H5Pset_deflate")
    }
    let dataset = try check(
      library.createDataset(file, path, type, space, makesGroups, creation, 0), "H5Dcreate2")
    defer { _ = library.release(dataset) }
    let status = values.withUnsafeBytes {
      library.writeDataset(dataset, type, 0, 0, 0, $0.baseAddress)
    }
    try check(status, "H5Dwrite")
  }

  private func bytes() throws(HDF5Error) -> [UInt8] {
    try check(library.flush(file, HDF5Library.wholeFile), "H5Fflush")
    let size = try check(library.image(file, nil, 0), "H5Fget_file_image")
    var bytes = [UInt8](repeating: 0, count: size)
    let written = bytes.withUnsafeMutableBytes { library.image(file, $0.baseAddress, $0.count) }
    try check(written, "H5Fget_file_image")
    return bytes
  }
}

/// - Parameter result: a handle, a status or a count; negative where a call has failed.
@discardableResult
private func check<Result: SignedInteger>(
  _ result: Result, _ function: String
) throws(HDF5Error) -> Result {
  guard result >= 0 else { throw .failed(function: function) }
  return result
}
