import Foundation

/// The samples of a shard in WebDataset's layout, as its members say: an image, and its label as the
/// text of a `.cls` or as `label` in a `.json`.
struct ShardScan {
  /// A label as it is written.
  enum Label: Hashable {
    case number(Int)
    case name(String)
  }

  struct Sample {
    let key: String
    /// Of the image in the shard.
    let place: Range<Int>
    let label: Label
  }

  private(set) var samples: [Sample] = []
  private(set) var passedOver = PassedOver()
  private let path: String

  /// What is known of the sample whose members come one after another.
  private struct Members {
    let key: String
    var image: Range<Int>?
    var label: Label?
    /// Of a `.json`, which counts where there is no `.cls`.
    var description: Label?
    var endings: Set<String> = []
  }

  /// Reads the names and labels of a shard, but no image.
  ///
  /// - Throws: `DatasetError` where a sample has an image and no label, or anything twice.
  init(path: String) throws(DatasetError) {
    self.path = path
    let reader = try ArchiveReader(path: path)
    var members: Members?
    while let entry = try reader.nextEntry() {
      switch entry.kind {
      case .directory: continue
      case .file: break
      default:
        passedOver.add(.special)
        continue
      }
      guard let member = WebDatasetMember(entry.path) else {
        passedOver.add(.hidden)
        continue
      }
      if members?.key != member.key {
        if let members { try finish(members) }
        members = Members(key: member.key)
      }
      guard members!.endings.insert(member.ending).inserted else {
        throw fault("\(member.key).\(member.ending) comes twice")
      }
      switch member.ending {
      case _ where member.isImage:
        guard members!.image == nil else { throw fault("'\(member.key)' has two images") }
        guard let place = entry.place else {
          throw fault("it is compressed, so that single samples cannot be read: decompress it")
        }
        members!.image = place
      case "cls":
        members!.label = Label(text: try text(of: entry, reader))
      case "json":
        members!.description = Label(json: try text(of: entry, reader))
      default:
        passedOver.add(.noImage(entry.path.bytes))
      }
    }
    if let members { try finish(members) }
  }

  private mutating func finish(_ members: Members) throws(DatasetError) {
    guard let image = members.image else {
      if members.label ?? members.description != nil { passedOver.add(.noImageOfSample) }
      return
    }
    guard let label = members.label ?? members.description else {
      throw fault("'\(members.key)' has no label")
    }
    samples.append(Sample(key: members.key, place: image, label: label))
  }

  /// A label's file is small; what is larger is none.
  private func text(
    of entry: ArchiveReader.Entry, _ reader: ArchiveReader
  ) throws(DatasetError) -> String {
    var bytes: [UInt8] = []
    try reader.appendData(to: &bytes, limit: 1 << 24)
    return String(decoding: bytes, as: UTF8.self)
  }

  private func fault(_ reason: String) -> DatasetError {
    .unusableShard(path: path, reason: reason)
  }
}

extension ShardScan.Label: CustomStringConvertible {
  fileprivate init?(text: String) {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty else { return nil }
    self = Int(text).map { .number($0) } ?? .name(text)
  }

  fileprivate init?(json: String) {
    struct Description: Decodable {
      let label: ShardScan.Label

      enum Key: CodingKey { case label }

      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let number = try? container.decode(Int.self, forKey: .label) {
          label = .number(number)
        } else {
          label = .name(try container.decode(String.self, forKey: .label))
        }
      }
    }
    guard let found = try? JSONDecoder().decode(Description.self, from: Data(json.utf8)) else {
      return nil
    }
    self = found.label
  }

  var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .name(let name): "'\(name)'"
    }
  }
}
