import Foundation
import Support
import TestSupport
import Testing

@testable import Support

struct SealedRecordTests {
  /// Of version 3; version 1 is intact if its note says so.
  private struct Example: SealedRecord, Equatable {
    static let versionKey = "formatVersion"
    static let currentVersion = 3
    static let firstSealedVersion = 2

    var formatVersion = 3
    var value = 0.1
    var note: String?

    func isIntact(unsealed document: Data) -> Bool { note == "intact" }
  }

  private static let text = """
    {"formatVersion":3,"value":0.1,
    "checksum":"xxh64:036cc07789e751f4"}

    """

  private func fault(_ document: Data) -> SealedRecordFault? {
    #expect(throws: SealedRecordFault.self) { try Example(document: document) }
  }

  @Test func aDocumentIsAnObjectThatEndsInTheChecksumOfWhatIsBefore() throws {
    let document = Example().document()
    #expect(String(decoding: document, as: UTF8.self) == Self.text)
    #expect(try Example(document: document) == Example())
    #expect(try JSONSerialization.jsonObject(with: document) is [String: Any])
  }

  @Test func theWritersKeysAndSpacesDoNotMatter() throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = .prettyPrinted
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let document = Example(note: "x").document(encoder: encoder)
    #expect(String(decoding: document, as: UTF8.self).contains("\"format_version\" : 3"))
    #expect(try Example(document: document, decoder: decoder) == Example(note: "x"))
  }

  /// As another program writes it: more fields, another order, numbers that are printed otherwise.
  @Test func whatIsSealedNeedNotBeWhatThisProgramWouldWrite() throws {
    let other = #"{ "value": 1.00000000000000005551e-1, "new": [1], "formatVersion": 2}"#
    #expect(
      try Example(document: sealed(Data(other.utf8))) == Example(formatVersion: 2, value: 0.1))
  }

  @Test func newerVersionsAreToldFromDamage() {
    for object in [
      #"{"formatVersion":4,"value":"now a text"}"#, #"{"formatVersion":4}"#,
    ] {
      #expect(fault(sealed(Data(object.utf8))) == .newer(version: 4, known: 3))
      // A newer program may seal in another way.
      #expect(fault(Data(object.utf8)) == .newer(version: 4, known: 3))
    }
    #expect(
      "\(SealedRecordFault.newer(version: 4, known: 3))"
        == "has format version 4, and this program reads up to 3: use a newer one")
  }

  @Test func earlierVersionsHaveTheirOwnCheck() throws {
    func document(_ note: String) -> Data {
      Data(#"{"formatVersion":1,"value":2,"note":"\#(note)"}"#.utf8)
    }
    #expect(try Example(document: document("intact")).value == 2)
    #expect(fault(document("something else")) != nil)
    // Version 2 had a seal.
    let unsealed = String(decoding: document("intact"), as: UTF8.self)
      .replacingOccurrences(of: ":1,", with: ":2,")
    #expect(fault(Data(unsealed.utf8)) != nil)
  }

  @Test func whatIsMissingIsNamed() {
    for (object, reason) in [
      (#"{"value":1}"#, "'formatVersion' is missing"),
      (#"{"formatVersion":3}"#, "'value' is missing"),
    ] {
      #expect(fault(sealed(Data(object.utf8))) == .damaged(reason: reason))
    }
  }

  @Test func everyDamageIsNoticed() {
    let document = Example().document()
    for place in document.indices {
      for bit in 0..<8 {
        var damaged = document
        damaged[place] ^= 1 << UInt8(bit)
        #expect(throws: SealedRecordFault.self) { try Example(document: damaged) }
      }
      #expect(throws: SealedRecordFault.self) { try Example(document: document[..<place]) }
    }
    #expect(throws: SealedRecordFault.self) { try Example(document: document + [0x0A]) }
  }
}
