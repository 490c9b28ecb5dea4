import TestSupport
import Testing

@testable import PyTorchFiles

/// Pickles that nobody's `torch.save` makes.
struct UnpicklerTests {
  private func pickle(_ parts: [UInt8]...) -> [UInt8] { [0x80, 2] + parts.flatMap { $0 } + [0x2e] }

  private func problem(_ bytes: [UInt8]) -> String? {
    do throws(Unpickler.Failure) {
      _ = try Unpickler(bytes)
      return nil
    } catch {
      return error.problem
    }
  }

  private func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  @Test func nothingIsCalled() {
    // What Python would do: os.system("true").
    let call = global("os", "system") + [0x8c, 4] + Array("true".utf8) + [0x85, 0x52]
    #expect(problem(pickle(call)) == "wants os.system at byte 2")
    let texts = [0x8c, 2] + Array("os".utf8) + [0x8c, 6] + Array("system".utf8)
    #expect(problem(pickle(texts, [0x93])) == "wants os.system at byte 14")
    // Objects of a class (NEWOBJ, INST), and code by its number in a registry (EXT1).
    for opcode: UInt8 in [0x81, 0x69, 0x82] {
      #expect(problem(pickle([opcode]))?.contains("which no state dict needs") == true)
    }
    // A known function with the wrong arguments.
    let rebuild = global("torch._utils", "_rebuild_tensor_v2") + [0x29, 0x52]
    #expect(problem(pickle(rebuild))?.contains("makes something of the wrong parts") == true)
  }

  /// What a few bytes recall again and again must not be copied each time.
  @Test func longArgumentsAreErrors() {
    let rebuild = global("torch._utils", "_rebuild_tensor_v2")
    let many = [0x28] + [UInt8](repeating: 0x4e, count: 9) + [0x74, 0x52]
    #expect(problem(pickle(rebuild, many))?.contains("of too many parts") == true)
    func text(_ text: String) -> [UInt8] { [0x8c, UInt8(text.utf8.count)] + Array(text.utf8) }
    // Of 1 float, in place 0.
    var storage: [UInt8] = [0x28] + text("storage") + global("torch", "FloatStorage")
    storage += text("0") + text("cpu")
    storage += [0x4b, 1, 0x74, 0x51, 0x4b, 0]
    func tensor(dimensions: Int) -> [UInt8] {
      let ones = [0x28] + (0..<2 * dimensions).map { UInt8($0 % 2 == 0 ? 0x4b : 1) } + [0x74]
      return rebuild + [0x28] + storage + ones + ones + [0x74, 0x52]
    }
    #expect(problem(pickle(tensor(dimensions: 64))) == nil)
    #expect(problem(pickle(tensor(dimensions: 65)))?.contains("a tensor of 65 dimensions") == true)
  }

  @Test func numbersAndTextsAreRead() throws {
    let values = try [
      [0x4b, 200], [0x4d, 0x01, 0x02], [0x4a, 0xfe, 0xff, 0xff, 0xff], [0x8a, 1, 0x80], [0x8a, 0],
      [0x8a, 2, 0xff, 0x00],
    ].map { (bytes: [UInt8]) -> Int? in
      if case .integer(let integer) = try Unpickler(pickle(bytes)).root { integer } else { nil }
    }
    #expect(values == [200, 513, -2, -128, 0, 255])
    let real = try Unpickler(pickle([0x47, 0xbf, 0xf8, 0, 0, 0, 0, 0, 0])).root
    guard case .real(-1.5) = real else { throw Unpickler.Failure(problem: "\(real)") }
  }

  /// Such containers would break a reader that follows them.
  @Test func containersMayHoldThemselvesOrAMillionOthers() {
    // x = []; x.append(x)
    #expect(problem(pickle([0x5d, 0x71, 0, 0x68, 0, 0x61])) == nil)
    // ((((…))))
    #expect(problem(pickle([0x29], [UInt8](repeating: 0x85, count: 1_000_000))) == nil)
  }

  @Test func whatLeavesItsBoundsIsAnError() {
    #expect(problem([0x80, 2])?.contains("in the middle of an instruction") == true)
    // A text of 4 GiB.
    #expect(problem(pickle([0x58, 0xff, 0xff, 0xff, 0xff]))?.contains("in the middle") == true)
    #expect(problem(pickle([0x85]))?.contains("more from its stack") == true)
    #expect(problem(pickle([0x4e, 0x28, 0x85]))?.contains("more from its stack") == true)
    #expect(problem(pickle([0x74]))?.contains("more from its stack") == true)
    #expect(problem(pickle([0x68, 3]))?.contains("recalls what it never kept") == true)
    #expect(problem(pickle([0x4e, 0x4e]))?.contains("ends with 2 values") == true)
    #expect(problem(pickle([0x7d, 0x28, 0x4e, 0x75]))?.contains("items to no dictionary") == true)
    let long = [0x8a, 9] + [UInt8](repeating: 1, count: 9)
    #expect(problem(pickle(long))?.contains("64 bits") == true)
  }

  @Test func tensorsStayInTheirStorage() {
    let storage = TensorStorage(key: "0", type: .float32, count: 12)
    func view(_ offset: Int, _ shape: [Int], _ strides: [Int]) -> StridedTensor? {
      StridedTensor(storage, offset: offset, shape: shape, strides: strides)
    }
    #expect(view(0, [3, 4], [4, 1])?.count == 12)
    #expect(view(8, [2, 2], [2, 1])?.count == 4)
    #expect(view(100, [0], [1])?.count == 0)
    #expect(view(9, [2, 2], [2, 1]) == nil)
    #expect(view(-1, [1], [1]) == nil)
    #expect(view(0, [-1], [1]) == nil)
    #expect(view(11, [2], [-1]) == nil)
    #expect(view(0, [2], [Int.max]) == nil)
    #expect(view(0, [Int.max, Int.max], [0, 0]) == nil)
    #expect(view(0, [1, 2], [1]) == nil)
    let huge = TensorStorage(key: "0", type: .float32, count: 1 << 62)
    #expect(StridedTensor(huge, offset: 0, shape: [1], strides: [1]) == nil)
  }

  /// PyTorch writes whatever it has as the stride of a dimension of 1.
  @Test func theStrideOfOneElementDoesNotMatter() throws {
    let storage = TensorStorage(key: "0", type: .int16, count: 4)
    for stride in [0, 7, Int.max] {
      let tensor = try #require(
        StridedTensor(storage, offset: 0, shape: [2, 1, 2], strides: [1, stride, 2]))
      let bytes: [UInt8] = [0, 0, 1, 1, 2, 2, 3, 3]
      #expect(tensor.elements(of: bytes, isBigEndian: false) == [0, 0, 2, 2, 1, 1, 3, 3])
    }
  }

  @Test func elementsOfTheOtherByteOrderAreTurned() throws {
    let storage = TensorStorage(key: "0", type: .int16, count: 3)
    let tensor = try #require(StridedTensor(storage, offset: 1, shape: [2], strides: [1]))
    let bytes: [UInt8] = [0, 0, 1, 2, 3, 4]
    #expect(tensor.elements(of: bytes, isBigEndian: false) == [1, 2, 3, 4])
    #expect(tensor.elements(of: bytes, isBigEndian: true) == [2, 1, 4, 3])
  }

  @Test func damagedPicklesAreErrorsOrHarmless() throws {
    let original = try #require(
      try PyTorchFile.entries(of: fixture("checkpoint.pth"), limit: 1 << 20) { $0 == "data.pkl" }
        .values.first)
    var random = SeededGenerator(seed: 6)
    var read = 0
    for round in 0..<3000 {
      var damaged = original
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      if round.isMultiple(of: 5) {
        damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random))
      }
      if problem(damaged) == nil { read += 1 }
    }
    #expect(read > 0 && read < 3000)
  }
}
