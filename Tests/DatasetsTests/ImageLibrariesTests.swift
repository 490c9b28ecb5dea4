import Datasets
import Testing

struct ImageLibrariesTests {
  @Test func versionsAreNumbers() {
    #expect(ImageLibraries.jpegVersion.wholeMatch(of: /\d+\.\d+(\.\d+)?/) != nil)
    #expect(ImageLibraries.pngVersion.wholeMatch(of: /1\.\d+\.\d+/) != nil)
    #expect(ImageLibraries.archiveVersion.prefixMatch(of: /\d+\.\d+/) != nil)
  }
}
