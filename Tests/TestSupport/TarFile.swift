/// A tar archive made by hand, of members in any order and of names that no program would write.
public struct TarFile {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func addFile(_ name: [UInt8], _ content: [UInt8]) {
    addHeader(name, type: "0", size: content.count)
    addContent(content)
  }

  private mutating func addContent(_ content: [UInt8]) {
    bytes += content
    bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  public mutating func addFile(_ name: String, _ content: [UInt8]) {
    addFile(Array(name.utf8), content)
  }

  public mutating func addFile(_ name: String, _ content: String) {
    addFile(name, Array(content.utf8))
  }

  public mutating func addDirectory(_ name: String) {
    addHeader(Array(name.utf8), type: "5")
  }

  /// - Parameter content: which a hard link may have in the format of POSIX.1-2001.
  public mutating func addHardLink(_ name: String, to target: String, content: String = "") {
    if !content.isEmpty {
      let record = Array("13 comment=x\n".utf8)
      addHeader(Array("comment".utf8), type: "x", size: record.count)
      addContent(record)
    }
    addHeader(Array(name.utf8), type: "1", size: content.utf8.count, link: target)
    addContent(Array(content.utf8))
  }

  public mutating func addSymbolicLink(_ name: String, to target: String) {
    addHeader(Array(name.utf8), type: "2", link: target)
  }

  /// A file of a name of any length, in GNU's format.
  public mutating func addLongFile(_ name: String, _ content: String) {
    addHeader(Array("././@LongLink".utf8), type: "L", size: name.utf8.count + 1)
    addContent(Array(name.utf8) + [0])
    addFile(Array(name.utf8.prefix(100)), Array(content.utf8))
  }

  /// A file of up to four parts with holes around them, in GNU's format.
  ///
  /// - Parameter size: of the file, in bytes.
  public mutating func addSparseFile(
    _ name: String, parts: [(offset: Int, content: String)], size: Int
  ) {
    let content = parts.flatMap { Array($0.content.utf8) }
    addHeader(
      Array(name.utf8), type: "S", size: content.count,
      sparse: (parts.map { ($0.offset, $0.content.utf8.count) }, size))
    addContent(content)
  }

  /// A named pipe.
  public mutating func addPipe(_ name: String) {
    addHeader(Array(name.utf8), type: "6")
  }

  /// The archive with its end.
  public var closed: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

  /// In the ustar format, or, with a map of a sparse file, in GNU's.
  private mutating func addHeader(
    _ name: [UInt8], type: Character, size: Int = 0, link: String = "",
    sparse: (map: [(offset: Int, size: Int)], size: Int)? = nil
  ) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ field: some Collection<UInt8>, at offset: Int) {
      header.replaceSubrange(offset..<offset + field.count, with: field)
    }
    func octal(_ number: Int, digits: Int) -> [UInt8] {
      let text = String(number, radix: 8)
      return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
    }
    put(name, at: 0)
    put(octal(0o644, digits: 7), at: 100)
    put(octal(0, digits: 7), at: 108)
    put(octal(0, digits: 7), at: 116)
    put(octal(size, digits: 11), at: 124)
    put(octal(0, digits: 11), at: 136)
    put([UInt8](repeating: 0x20, count: 8), at: 148)
    put([type.asciiValue!], at: 156)
    put(Array(link.utf8), at: 157)
    put(Array((sparse == nil ? "ustar\u{0}00" : "ustar  \u{0}").utf8), at: 257)
    if let sparse {
      for (index, part) in sparse.map.enumerated() {
        put(octal(part.offset, digits: 11), at: 386 + 24 * index)
        put(octal(part.size, digits: 11), at: 398 + 24 * index)
      }
      put(octal(sparse.size, digits: 11), at: 483)
    }
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + [0], at: 148)
    bytes += header
  }
}
