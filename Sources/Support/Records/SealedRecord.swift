import Foundation

/// A record that is kept as a JSON object with a seal, a last line with the checksum of all bytes
/// before it:
///
///     {"classes":["cat","dog"],"format_version":2,
///     "checksum":"xxh64:0123456789abcdef"}
///
/// The seal is of bytes that were written, not of what they mean: neither a field that is new nor
/// another way to print a number makes a document of another program look damaged.
public protocol SealedRecord: Codable {
  /// The field of the document that has the version of its layout.
  static var versionKey: String { get }
  /// The version that is written. It goes up where earlier programs must not read what is new.
  static var currentVersion: Int { get }
  /// Documents of earlier versions have their checksum elsewhere.
  static var firstSealedVersion: Int { get }

  /// Whether the document from which this was read, of a version before the first that is sealed, is
  /// as it was written.
  func isIntact(unsealed document: Data) -> Bool
}

/// Why a document is no record.
public enum SealedRecordFault: Error, Equatable, CustomStringConvertible {
  /// It is not what was written.
  case damaged(reason: String)
  /// Its layout is one of a newer program.
  case newer(version: Int, known: Int)

  public var description: String {
    switch self {
    case .damaged(let reason): "is damaged: \(reason)"
    case .newer(let version, let known):
      "has format version \(version), and this program reads up to \(known): use a newer one"
    }
  }
}

extension SealedRecord {
  /// Reads a document and checks that it is as it was written.
  public init(
    document: Data, decoder: JSONDecoder = JSONDecoder()
  ) throws(SealedRecordFault) {
    let content: Versioned<Self>
    do {
      content = try decoder.decode(Versioned<Self>.self, from: document)
    } catch {
      throw .damaged(reason: reason(error))
    }
    guard content.version <= Self.currentVersion else {
      throw .newer(version: content.version, known: Self.currentVersion)
    }
    let isSealed = content.version >= Self.firstSealedVersion
    guard !isSealed || hasSeal(document) else { throw .damaged(reason: otherChecksum) }
    do {
      self = try content.record.get()
    } catch {
      throw .damaged(reason: reason(error))
    }
    guard isSealed || isIntact(unsealed: document) else { throw .damaged(reason: otherChecksum) }
  }

  /// The document of this record.
  public func document(encoder: JSONEncoder = .oneLine) -> Data {
    guard let object = try? encoder.encode(self), object.last == UInt8(ascii: "}") else {
      preconditionFailure("a record is an object of values that JSON has")
    }
    return sealed(object)
  }
}

/// An object with its seal.
public func sealed(_ object: Data) -> Data {
  let body = object.dropLast()
  return body + seal(of: body)
}

/// What ends a document whose other bytes are these.
private func seal(of body: Data) -> Data {
  Data(",\n\"checksum\":\"\(Checksum.text(XXHash64.hash([UInt8](body))))\"}\n".utf8)
}

private func hasSeal(_ document: Data) -> Bool {
  let body = document.dropLast(seal(of: Data()).count)
  return document.suffix(from: body.endIndex) == seal(of: body)
}

/// The documents of a file that holds one after another, each an object on one line and its seal; what
/// follows the last seal is left out.
public func sealedDocuments(in bytes: Data) -> [Data] {
  var documents: [Data] = []
  var (start, lineStart) = (bytes.startIndex, bytes.startIndex)
  while let end = bytes[lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
    if bytes[lineStart...end].starts(with: sealStart) {
      documents.append(Data(bytes[start...end]))
      start = end + 1
    }
    lineStart = end + 1
  }
  return documents
}

private let sealStart = Data("\"checksum\":".utf8)

private let otherChecksum = "its content does not have the checksum that it names"

/// A record as far as it can be read, and the version that says whether it can.
private struct Versioned<Record: SealedRecord>: Decodable {
  let version: Int
  let record: Result<Record, any Error>

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    version = try decoder.container(keyedBy: Key.self)
      .decode(Int.self, forKey: Key(stringValue: Record.versionKey))
    record = Result { try Record(from: decoder) }
  }
}

/// What is wrong with a document, and where.
private func reason(_ error: any Error) -> String {
  guard let error = error as? DecodingError else { return "\(error)" }
  func place(_ context: DecodingError.Context) -> String {
    context.codingPath.isEmpty
      ? "" : " at " + context.codingPath.map(\.stringValue).joined(separator: ".")
  }
  switch error {
  case .keyNotFound(let key, let context):
    return "'\(key.stringValue)' is missing\(place(context))"
  case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
    return "\(context.debugDescription)\(place(context))"
  @unknown default:
    return "\(error)"
  }
}
