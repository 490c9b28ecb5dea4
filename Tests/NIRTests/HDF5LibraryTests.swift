import Testing

@testable import NIR

struct HDF5LibraryTests {
  @Test func aMissingLibraryIsNamedWithItsPackage() {
    let error = #expect(throws: HDF5Error.noLibrary) {
      try HDF5Library(names: ["libhdf5_none.so", "libhdf5_neither.so"])
    }
    #expect(error?.description.contains("apt-get install libhdf5-103-1") == true)
  }

  /// The C library stands for one that is too old.
  @Test func anotherLibraryIsRefused() {
    #expect(throws: HDF5Error.missingSymbol("H5open")) {
      try HDF5Library(names: ["libhdf5_none.so", "libc.so.6"])
    }
  }
}
