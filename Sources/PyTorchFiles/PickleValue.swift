import SafeTensors

/// What a pickle makes. Containers hold the numbers of their elements among all values of the pickle, so that
/// one that holds itself, or a million that hold each other, are like any others.
enum PickleValue {
  typealias Number = Int

  case none
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case text(String)
  case tuple([Number])
  case list([Number])
  case dictionary([(key: Number, value: Number)])
  indirect case storage(TensorStorage)
  indirect case tensor(StridedTensor)
  case global(KnownGlobal)
}

/// The only things of Python modules that have a meaning here.
enum KnownGlobal: Equatable {
  case orderedDict
  case rebuildTensor
  case rebuildParameter
  case storage(ElementType)

  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDict
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch", "DoubleStorage"): self = .storage(.float64)
    case ("torch", "FloatStorage"): self = .storage(.float32)
    case ("torch", "HalfStorage"): self = .storage(.float16)
    case ("torch", "BFloat16Storage"): self = .storage(.bfloat16)
    case ("torch", "LongStorage"): self = .storage(.int64)
    case ("torch", "IntStorage"): self = .storage(.int32)
    case ("torch", "ShortStorage"): self = .storage(.int16)
    case ("torch", "CharStorage"): self = .storage(.int8)
    case ("torch", "ByteStorage"): self = .storage(.uint8)
    case ("torch", "BoolStorage"): self = .storage(.bool)
    default: return nil
    }
  }
}
