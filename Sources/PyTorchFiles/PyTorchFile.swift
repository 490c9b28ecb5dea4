import Datasets
import Foundation
import SafeTensors
import Support

/// The state dict in a file of PyTorch's `torch.save`: a zip archive, without compression, of `data.pkl`, a
/// pickle, and of `data/KEY`, the elements of storages.
///
/// A checkpoint of several things is one dictionary with the state dict among its values. Only tensors,
/// dictionaries, lists, numbers and text are read; any other object is an error, and none is made.
public struct PyTorchFile: TensorFile {
  /// More than the pickle of any network has, in bytes.
  private static let mostPickleBytes = 1 << 24
  /// Under which keys checkpoints keep the network, the likeliest first.
  private static let usualKeys = ["net", "state_dict", "model", "model_state_dict"]
  /// What pickles of a large number, PyTorch's mark of files before version 1.6, begin with.
  private static let legacyStart: [UInt8] =
    [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

  public let path: String
  /// In the order of the state dict.
  public let names: [String]
  private let tensors: [String: StridedTensor]
  private let storages: [String: [UInt8]]
  private let isBigEndian: Bool

  /// Whether a file is one that `torch.save` may have made.
  ///
  /// - Throws: `FileError` where it cannot be read.
  public static func isOne(_ path: String) throws -> Bool {
    let start = try start(of: path)
    return start.starts(with: Array("PK\u{3}\u{4}".utf8)) || start == legacyStart
  }

  private static func start(of path: String) throws -> [UInt8] {
    let file = try MappedFile(path: path)
    return file.withBytes(0..<min(file.count, legacyStart.count)) { Array($0) }
  }

  /// - Throws: `PyTorchFileError` where it is no such file, is damaged, or holds anything else.
  public init(contentsOf path: String) throws {
    self.path = path
    func failure(_ problem: String) -> PyTorchFileError {
      PyTorchFileError(path: path, problem: problem)
    }
    guard try Self.isOne(path) else { throw failure("is no file of PyTorch's torch.save") }
    guard try Self.start(of: path) != Self.legacyStart else {
      throw failure(
        "is of PyTorch before 1.6, or was saved in that form. Python makes a new one of it:\n"
          + Self.remedy(path, loading: ""))
    }
    do {
      var description = try Self.entries(of: path, limit: Self.mostPickleBytes) {
        ["data.pkl", "byteorder"].contains($0)
      }
      guard let pickle = description.removeValue(forKey: "data.pkl") else {
        throw failure("is a zip archive, but none of torch.save: it has no data.pkl")
      }
      let order = description["byteorder"] ?? []
      isBigEndian = order.starts(with: Array("big".utf8))
      let state = try Self.stateDict(in: Unpickler(pickle), path)
      names = state.map(\.name)
      tensors = Dictionary(state.map { ($0.name, $0.tensor) }) { $1 }
      let wanted = Set(tensors.values.map { "data/" + $0.storage.key })
      storages = try Self.entries(of: path, limit: fileSize(path)) { wanted.contains($0) }
      for (name, tensor) in tensors {
        let (size, found) = (
          tensor.storage.count * tensor.storage.type.byteCount,
          storages["data/" + tensor.storage.key]?.count
        )
        guard let found, found >= size else {
          throw failure(
            "is damaged: of the \(size) bytes of tensor '\(name)' it has \(found ?? 0)")
        }
      }
    } catch DatasetError.unreadableArchive(_, let reason) {
      throw failure("is damaged: as a zip archive, \(reason)")
    } catch let problem as Unpickler.Failure {
      guard problem.global != nil else { throw failure("its pickle \(problem.problem)") }
      throw failure(
        "its pickle \(problem.problem), but only tensors, dictionaries, lists, numbers and text are"
          + " read here, and nothing is executed. If you trust where it comes from, Python makes one"
          + " of the weights alone (perhaps with another key than 'net', or with .state_dict()):\n"
          + Self.remedy(path, loading: ", weights_only=False", key: "['net']"))
    }
  }

  public func shape(of name: String) throws -> [Int] { try tensor(name).shape }

  public func floats(_ name: String) throws -> [Float] {
    let tensor = try tensor(name)
    let elements = tensor.elements(
      of: storages["data/" + tensor.storage.key]!, isBigEndian: isBigEndian)
    guard let floats = elements.withUnsafeBytes(tensor.storage.type.floats) else {
      throw PyTorchFileError(
        path: path,
        problem: "tensor '\(name)' holds \(tensor.storage.type.rawValue), which cannot be read as"
          + " floating-point numbers")
    }
    return floats
  }

  private func tensor(_ name: String) throws(PyTorchFileError) -> StridedTensor {
    guard let tensor = tensors[name] else {
      throw PyTorchFileError(path: path, problem: "has no tensor '\(name)'")
    }
    return tensor
  }

  /// What the archive's files hold whose names, without the directory around all, are wanted.
  ///
  /// - Parameter limit: bytes of all of them together that are too many: the archive, where nothing is
  ///   compressed.
  static func entries(
    of path: String, limit: Int, _ isWanted: (String) -> Bool
  ) throws -> [String: [UInt8]] {
    let archive = try ArchiveReader(path: path, format: .zip)
    var entries: [String: [UInt8]] = [:]
    var limit = limit
    while let entry = try archive.nextEntry() {
      let name = "\(entry.path)"
      guard let slash = name.firstIndex(of: "/") else { continue }
      let inner = String(name[name.index(after: slash)...])
      guard isWanted(inner) else { continue }
      var bytes: [UInt8] = []
      try archive.appendData(to: &bytes, limit: limit)
      limit -= bytes.count
      guard entries.updateValue(bytes, forKey: inner) == nil else {
        throw PyTorchFileError(path: path, problem: "is damaged: it has \(inner) twice")
      }
    }
    return entries
  }

  /// The tensors of the state dict: the dictionary itself, or one among its values.
  private static func stateDict(
    in pickle: Unpickler, _ path: String
  ) throws(PyTorchFileError) -> [(name: String, tensor: StridedTensor)] {
    guard case .dictionary = pickle.root else {
      throw PyTorchFileError(path: path, problem: "holds no dictionary, and so no state dict")
    }
    let all = pickle.items(of: pickle.root)
    let own = pickle.tensors(of: pickle.root)
    let candidates = all.filter { !pickle.tensors(of: $0.value).isEmpty }
    let named = usualKeys.lazy.compactMap { key in candidates.first { $0.key == key } }.first
    let likely = named ?? (candidates.count == 1 ? candidates[0] : nil)
    // An accuracy beside a state dict may be a tensor, too.
    if !own.isEmpty, own.count >= likely.map({ pickle.tensors(of: $0.value).count }) ?? 0 {
      return own
    }
    guard let found = likely else {
      let keys = all.map { "'\($0.key)'" }.joined(separator: ", ")
      throw PyTorchFileError(
        path: path,
        problem: candidates.isEmpty
          ? "holds no state dict: its dictionary has \(keys.isEmpty ? "no keys" : "only \(keys)")"
          : "holds several state dicts (\(keys)), none of them under"
            + " \(usualKeys.map { "'\($0)'" }.joined(separator: ", ")). Python chooses one:\n"
            + remedy(path, loading: "", key: "['\(candidates[0].key)']"))
    }
    return pickle.tensors(of: found.value)
  }

  /// The command that makes a file that can be read.
  private static func remedy(_ path: String, loading option: String, key: String = "") -> String {
    "  python3 -c \"import torch; torch.save("
      + "torch.load('\(path)', map_location='cpu'\(option))\(key), 'weights.pth')\""
  }
}

extension Unpickler {
  /// What a dictionary holds under keys of text.
  fileprivate func items(of dictionary: PickleValue) -> [(key: String, value: PickleValue)] {
    guard case .dictionary(let items) = dictionary else { return [] }
    return items.compactMap { key, value in
      guard case .text(let name) = values[key] else { return nil }
      return (name, values[value])
    }
  }

  /// The tensors among them.
  fileprivate func tensors(of dictionary: PickleValue) -> [(name: String, tensor: StridedTensor)] {
    items(of: dictionary).compactMap { name, value in
      guard case .tensor(let tensor) = value else { return nil }
      return (name, tensor)
    }
  }
}
