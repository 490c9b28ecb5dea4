import Foundation

/// The bytes of a safetensors file with this header and data.
func fileBytes(header: String, data: [UInt8] = []) -> Data {
  withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + header.utf8 + data
}
