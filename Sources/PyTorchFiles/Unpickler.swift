/// Carries out a pickle, which is a program for a machine with a stack, for data of `torch.save` only.
///
/// Where Python would import and call whatever the pickle names, this knows the tensors of PyTorch and
/// dictionaries with an order, and refuses everything else. Nothing that a pickle says is executed.
struct Unpickler {
  /// What a pickle cannot be read for.
  struct Failure: Error {
    /// Follows "its pickle ".
    let problem: String
    /// What it names of Python that is not known here, where that is the problem.
    var global: String?

    static func damaged(_ what: String) -> Failure { Failure(problem: "is damaged: it \(what)") }
  }

  private typealias Number = PickleValue.Number

  private var reader: PickleReader
  /// All that was made so far.
  private(set) var values: [PickleValue] = []
  private var stack: [Number] = []
  /// Heights of the stack.
  private var marks: [Int] = []
  private var memo: [Int: Number] = [:]

  /// - Throws: `Failure` where it is damaged, or makes anything but tensors, dictionaries, lists, numbers and
  ///   text.
  init(_ bytes: [UInt8]) throws(Failure) {
    reader = PickleReader(bytes)
    while true {
      let start = reader.position
      let byte = UInt8(try reader.unsigned(1))
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw Failure(
          problem: "has the instruction \(byte) at byte \(start), which no state dict needs")
      }
      if opcode == .stop { break }
      do {
        try carryOut(opcode)
      } catch let failure {
        throw Failure(problem: failure.problem + " at byte \(start)", global: failure.global)
      }
    }
    guard stack.count == 1 else { throw .damaged("ends with \(stack.count) values") }
  }

  /// What the pickle is of.
  var root: PickleValue { values[stack[0]] }

  private mutating func carryOut(_ opcode: PickleOpcode) throws(Failure) {
    switch opcode {
    case .proto: _ = try reader.read(1)
    case .frame: _ = try reader.read(8)
    case .stop: break
    case .mark: marks.append(stack.count)

    case .none: push(.none)
    case .newTrue: push(.bool(true))
    case .newFalse: push(.bool(false))
    case .binInt: push(.integer(Int(Int32(truncatingIfNeeded: try reader.unsigned(4)))))
    case .binInt1: push(.integer(try reader.unsigned(1)))
    case .binInt2: push(.integer(try reader.unsigned(2)))
    case .long1: push(.integer(try reader.long(try reader.unsigned(1))))
    case .binFloat:
      let bits = try reader.read(8).reduce(0) { $0 << 8 | UInt64($1) }
      push(.real(Double(bitPattern: bits)))
    case .shortBinUnicode: push(.text(try reader.text(try reader.unsigned(1))))
    case .binUnicode: push(.text(try reader.text(try reader.unsigned(4))))

    case .emptyTuple: push(.tuple([]))
    case .tuple: push(.tuple(try popToMark()))
    case .tuple1: push(.tuple(try pop(1)))
    case .tuple2: push(.tuple(try pop(2)))
    case .tuple3: push(.tuple(try pop(3)))
    case .emptyList: push(.list([]))
    case .append: try append(try pop(1))
    case .appends: try append(try popToMark())
    case .emptyDict: push(.dictionary([]))
    case .setItem: try setItems(try pop(2))
    case .setItems: try setItems(try popToMark())

    case .binPut: memo[try reader.unsigned(1)] = try top()
    case .longBinPut: memo[try reader.unsigned(4)] = try top()
    case .memoize: memo[memo.count] = try top()
    case .binGet: try get(try reader.unsigned(1))
    case .longBinGet: try get(try reader.unsigned(4))

    case .global: push(.global(try global(module: try reader.line(), name: try reader.line())))
    case .stackGlobal:
      let names = try pop(2)
      guard case .text(let module) = values[names[0]], case .text(let name) = values[names[1]]
      else { throw .damaged("names something of Python by no text") }
      push(.global(try global(module: module, name: name)))
    case .binPersID: push(.storage(try storage(try pop(1)[0])))
    case .reduce:
      let call = try pop(2)
      push(try result(of: values[call[0]], try elements(call[1])))
    case .build:
      // PyTorch gives the dictionary of a state dict an attribute with versions of its modules.
      let attributes = try pop(1)
      guard case .dictionary = values[try top()], case .dictionary = values[attributes[0]] else {
        throw .damaged("gives attributes to what has none")
      }
    }
  }

  // MARK: Stack and memo

  private mutating func push(_ value: PickleValue) {
    stack.append(values.count)
    values.append(value)
  }

  private func top() throws(Failure) -> Number {
    guard let top = stack.last, stack.count > marks.last ?? 0 else {
      throw .damaged("takes more from its stack than there is")
    }
    return top
  }

  private mutating func pop(_ count: Int) throws(Failure) -> [Number] {
    guard stack.count - (marks.last ?? 0) >= count else {
      throw .damaged("takes more from its stack than there is")
    }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(Failure) -> [Number] {
    guard let mark = marks.popLast() else {
      throw .damaged("takes more from its stack than there is")
    }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func get(_ place: Int) throws(Failure) {
    guard let number = memo[place] else { throw .damaged("recalls what it never kept") }
    stack.append(number)
  }

  private mutating func append(_ elements: [Number]) throws(Failure) {
    let list = try top()
    guard case .list(var all) = values[list] else { throw .damaged("appends to no list") }
    // Nobody else holds the array now, so that it grows in place.
    values[list] = .none
    all += elements
    values[list] = .list(all)
  }

  private mutating func setItems(_ elements: [Number]) throws(Failure) {
    let dictionary = try top()
    guard case .dictionary(var all) = values[dictionary], elements.count.isMultiple(of: 2) else {
      throw .damaged("gives items to no dictionary")
    }
    values[dictionary] = .none
    for index in stride(from: 0, to: elements.count, by: 2) {
      all.append((elements[index], elements[index + 1]))
    }
    values[dictionary] = .dictionary(all)
  }

  // MARK: What is named

  private func global(module: String, name: String) throws(Failure) -> KnownGlobal {
    if let known = KnownGlobal(module: module, name: name) { return known }
    throw Failure(problem: "wants \(module).\(name)", global: "\(module).\(name)")
  }

  /// Of `('storage', type, key, device, count)`.
  private func storage(_ number: Number) throws(Failure) -> TensorStorage {
    let fields = try elements(number).map { values[$0] }
    guard fields.count == 5, case .text("storage") = fields[0],
      case .global(.storage(let type)) = fields[1], case .text(let key) = fields[2],
      case .integer(let count) = fields[4]
    else { throw .damaged("names no storage of a tensor") }
    return TensorStorage(key: key, type: type, count: count)
  }

  /// More than any function here takes, and more dimensions than PyTorch's tensors have: a few bytes recall
  /// long tuples again and again.
  private static let (mostArguments, mostDimensions) = (8, 64)

  private func result(
    of function: PickleValue, _ arguments: [Number]
  ) throws(Failure) -> PickleValue {
    guard arguments.count <= Self.mostArguments else {
      throw .damaged("makes something of too many parts")
    }
    let fields = arguments.map { values[$0] }
    switch function {
    case .global(.orderedDict) where fields.isEmpty: return .dictionary([])
    case .global(.rebuildParameter):
      // The tensor, whether it has a gradient, hooks.
      guard case .tensor? = fields.first else { break }
      return fields[0]
    case .global(.rebuildTensor):
      // Storage, offset, shape, strides, whether it has a gradient, hooks.
      guard fields.count >= 4, case .storage(let storage) = fields[0],
        case .integer(let offset) = fields[1]
      else { break }
      let (shape, strides) = (try integers(arguments[2]), try integers(arguments[3]))
      guard
        let tensor = StridedTensor(storage, offset: offset, shape: shape, strides: strides)
      else { throw .damaged("has a tensor of shape \(shape) that leaves its storage") }
      return .tensor(tensor)
    default: break
    }
    throw .damaged("makes something of the wrong parts")
  }

  /// Of a tuple.
  private func elements(_ number: Number) throws(Failure) -> [Number] {
    guard case .tuple(let elements) = values[number] else {
      throw .damaged("has something else in place of a tuple")
    }
    return elements
  }

  private func integers(_ number: Number) throws(Failure) -> [Int] {
    let elements = try elements(number)
    guard elements.count <= Self.mostDimensions else {
      throw .damaged("has a tensor of \(elements.count) dimensions")
    }
    var integers: [Int] = []
    for element in elements {
      guard case .integer(let integer) = values[element] else {
        throw .damaged("has a shape of something else than integers")
      }
      integers.append(integer)
    }
    return integers
  }
}
