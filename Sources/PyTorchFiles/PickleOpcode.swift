/// The instructions of Python's pickle format that the data of `torch.save` consist of, by the names that
/// Python's `pickletools` gives them. All others are for objects that no state dict needs.
enum PickleOpcode: UInt8 {
  case proto = 0x80
  case frame = 0x95
  case stop = 0x2e

  case mark = 0x28

  case none = 0x4e
  case newTrue = 0x88
  case newFalse = 0x89
  /// Signed, of 4 bytes.
  case binInt = 0x4a
  case binInt1 = 0x4b
  case binInt2 = 0x4d
  /// Signed, its length before it.
  case long1 = 0x8a
  /// Big-endian.
  case binFloat = 0x47
  case shortBinUnicode = 0x8c
  case binUnicode = 0x58

  case emptyTuple = 0x29
  case tuple = 0x74
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case emptyList = 0x5d
  case append = 0x61
  case appends = 0x65
  case emptyDict = 0x7d
  case setItem = 0x73
  case setItems = 0x75

  case binPut = 0x71
  case longBinPut = 0x72
  case memoize = 0x94
  case binGet = 0x68
  case longBinGet = 0x6a

  /// Names something of a Python module, in two lines of text.
  case global = 0x63
  /// The same, by texts from the stack.
  case stackGlobal = 0x93
  /// Names something that is not in the pickle: here, a storage.
  case binPersID = 0x51
  /// Calls what was named.
  case reduce = 0x52
  /// Gives an object attributes.
  case build = 0x62
}
