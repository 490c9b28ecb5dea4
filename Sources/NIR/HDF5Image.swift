internal import CHDF5
import Foundation

/// What the HDF5 library could not do.
struct HDF5Error: Error, CustomStringConvertible {
  /// Its function.
  let function: String

  var description: String { "the HDF5 library failed in \(function)" }
}

/// An HDF5 file that is put together in memory. Paths within it begin with `/`; groups appear with what is in
/// them. The same calls give the same bytes.
final class HDF5Image {
  /// The library itself lets threads run into each other.
  private static let lock = NSLock()

  private let file: hid_t
  /// Makes the groups of a path.
  private let makesGroups: hid_t
  private let text: hid_t

  /// The bytes of a file that `body` fills.
  static func bytes(_ body: (HDF5Image) throws -> Void) throws -> [UInt8] {
    try lock.withLock {
      let image = try HDF5Image()
      try body(image)
      return try image.bytes()
    }
  }

  private init() throws(HDF5Error) {
    // Else it would print its own account of each error.
    H5Eset_auto2(0, nil, nil)
    let inMemory = try check(H5Pcreate(sltt_hdf5_file_access()), "H5Pcreate")
    defer { H5Pclose(inMemory) }
    _ = try check(hid_t(H5Pset_fapl_core(inMemory, 1 << 20, false)), "H5Pset_fapl_core")
    file = try check(H5Fcreate("image", sltt_hdf5_truncate(), 0, inMemory), "H5Fcreate")
    makesGroups = try check(H5Pcreate(sltt_hdf5_link_creation()), "H5Pcreate")
    H5Pset_create_intermediate_group(makesGroups, 1)
    text = try check(H5Tcopy(sltt_hdf5_string()), "H5Tcopy")
    H5Tset_size(text, sltt_hdf5_variable_length())
    H5Tset_cset(text, H5T_CSET_UTF8)
  }

  deinit {
    H5Tclose(text)
    H5Pclose(makesGroups)
    H5Fclose(file)
  }

  /// Adds numbers, compressed; `values` row-major, as many as `shape` says.
  func write(_ path: String, _ values: [Float], shape: [Int]) throws(HDF5Error) {
    try write(path, values, shape, sltt_hdf5_float32())
  }

  /// Adds integers; `values` row-major, as many as `shape` says.
  func write(_ path: String, _ values: [Int], shape: [Int]) throws(HDF5Error) {
    try write(path, values, shape, sltt_hdf5_int64())
  }

  func write(_ path: String, _ value: Double) throws(HDF5Error) {
    try write(path, [value], [], sltt_hdf5_float64())
  }

  /// Adds texts; `values` row-major, as many as `shape` says.
  func write(_ path: String, _ values: [String], shape: [Int] = []) throws(HDF5Error) {
    let copies = values.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    try write(path, copies, shape, text)
  }

  private func write<Element>(
    _ path: String, _ values: [Element], _ shape: [Int], _ type: hid_t
  ) throws(HDF5Error) {
    precondition(values.count == shape.reduce(1, *))
    let extents = shape.map { hsize_t($0) }
    let space = try check(
      shape.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.count), extents, nil),
      "H5Screate")
    defer { H5Sclose(space) }
    let creation = try check(H5Pcreate(sltt_hdf5_dataset_creation()), "H5Pcreate")
    defer { H5Pclose(creation) }
    H5Pset_obj_track_times(creation, false)
    if values.count > 1 && type != text {
      // Most arrays of a neuron's parameters hold one number many times.
      H5Pset_chunk(creation, Int32(shape.count), extents)
      H5Pset_deflate(creation, 1)
    }
    let dataset = try check(
      H5Dcreate2(file, path, type, space, makesGroups, creation, 0), "H5Dcreate2")
    defer { H5Dclose(dataset) }
    let status = values.withUnsafeBytes { H5Dwrite(dataset, type, 0, 0, 0, $0.baseAddress) }
    _ = try check(hid_t(status), "H5Dwrite")
  }

  private func bytes() throws(HDF5Error) -> [UInt8] {
    _ = try check(hid_t(H5Fflush(file, H5F_SCOPE_GLOBAL)), "H5Fflush")
    let size = try check(hid_t(H5Fget_file_image(file, nil, 0)), "H5Fget_file_image")
    var bytes = [UInt8](repeating: 0, count: Int(size))
    let written = bytes.withUnsafeMutableBytes { H5Fget_file_image(file, $0.baseAddress, $0.count) }
    _ = try check(hid_t(written), "H5Fget_file_image")
    return bytes
  }
}

/// - Parameter result: a handle, a status or a count; negative where a call has failed.
private func check(_ result: hid_t, _ function: String) throws(HDF5Error) -> hid_t {
  guard result >= 0 else { throw HDF5Error(function: function) }
  return result
}
