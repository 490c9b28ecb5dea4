import TestSupport
import Testing

@testable import Datasets

struct RecordingListTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func list(_ format: EventFormat, _ split: EventSplit) throws -> RecordingList {
    try RecordingList(format, path: directory.path, split: split, rule: .number(4, by: .time))
  }

  private func names(_ list: RecordingList) -> [String] {
    list.labels.indices.map { String(list.name(of: $0).dropFirst(directory.path.count + 1)) }
  }

  @Test func otherFilesWithItsEndingAreNotNMNIST() throws {
    try directory.write("", to: "tools/firmware/x.bin")
    #expect(EventFormat.found(at: directory.path).isEmpty)
  }

  @Test func nmnist() throws {
    for name in ["Train/1/b.bin", "Train/1/a.bin", "Train/0/c.bin", "Test/0/x.bin", "Test/1/y.bin"]
    {
      try directory.write("", to: name)
    }
    #expect(EventFormat.found(at: directory.path) == [.nmnist])
    let training = try list(.nmnist, .training)
    #expect(training.classes == ["0", "1"])
    #expect(training.labels == [0, 1, 1])
    #expect(names(training) == ["Train/0/c.bin", "Train/1/a.bin", "Train/1/b.bin"])
    #expect(try names(list(.nmnist, .validation)) == ["Test/0/x.bin", "Test/1/y.bin"])
  }

  @Test func cifar10DVSIsSplit() throws {
    for index in 0..<11 {
      try directory.write("", to: "cat/cifar10_cat_\(index).aedat")
    }
    #expect(EventFormat.found(at: directory.path) == [.cifar10DVS])
    let training = try list(.cifar10DVS, .training)
    let validation = try list(.cifar10DVS, .validation)
    // ceil(0.9 * 11) for training; 10 comes before 2.
    #expect(training.labels.count == 10)
    #expect(names(training)[2] == "cat/cifar10_cat_10.aedat")
    #expect(names(validation) == ["cat/cifar10_cat_9.aedat"])
  }

  @Test func gestures() throws {
    try directory.write("a.aedat\r\n\nb.aedat\n", to: "trials_to_train.txt")
    try directory.write("c.aedat\n", to: "trials_to_test.txt")
    for name in ["a", "b", "c"] {
      try directory.write("", to: name + ".aedat")
      try directory.write(
        "class,startTime_usec,endTime_usec\r\n11,3000000000,3000000100\r\n1,50,60\r\n",
        to: name + "_labels.csv")
    }
    #expect(EventFormat.found(at: directory.path) == [.dvsGesture])
    let training = try list(.dvsGesture, .training)
    // Gesture 11 is in SpikingJelly's folder 10, whose name comes third.
    #expect(training.classes == ["0", "1", "10", "2", "3", "4", "5", "6", "7", "8", "9"])
    #expect(training.labels == [2, 0, 2, 0])
    #expect(names(training)[3] == "b.aedat, sample 2")
    #expect(training.files[0].windows == [3_000_000_000..<3_000_000_100, 50..<60])
    #expect(try list(.dvsGesture, .validation).labels == [2, 0])
  }

  @Test(arguments: ["", "class,start,end\n", "class,start,end\n\n"])
  func aTableWithoutRowsIsAnError(text: String) {
    #expect(throws: RecordingFailure.self) { try gestureLabels(Array(text.utf8)) }
  }

  @Test(arguments: ["12,0,1", "0,0,1", "1,5,4", "1,2", "1,-1,4", "x,1,2", "1,2,3,4"])
  func aBadRowIsAnErrorThatNamesItsByte(row: String) {
    let text = Array("class,start,end\n2,1,5\n\(row)\n".utf8)
    let failure = #expect(throws: RecordingFailure.self) { try gestureLabels(text) }
    #expect(failure?.reason.hasPrefix("at byte 22 ") == true)
  }

  @Test func storedFrames() throws {
    for name in ["train/a/1.npz", "train/b/2.npz", "test/a/3.npz", "test/b/4.npz"] {
      try directory.write("", to: "frames_number_4_split_by_time/" + name)
      try directory.write("", to: "frames_number_9_split_by_time/" + name)
    }
    #expect(EventFormat.found(at: directory.path) == [.frames])
    #expect(
      try names(list(.frames, .validation)) == [
        "frames_number_4_split_by_time/test/a/3.npz", "frames_number_4_split_by_time/test/b/4.npz",
      ])
  }

  @Test func framesByAnotherRuleAreNamed() throws {
    try directory.write("", to: "frames_number_9_split_by_time/train/a/1.npz")
    let error = #expect(throws: DatasetError.self) { try list(.frames, .training) }
    #expect(error?.description.contains("found frames_number_9_split_by_time") == true)
  }

  @Test func imagesAreNoRecordings() throws {
    try directory.write("", to: "train/a/1.jpg")
    #expect(EventFormat.found(at: directory.path).isEmpty)
    #expect(EventFormat.found(at: directory.path + "/nothing").isEmpty)
  }

  @Test(arguments: EventFormat.allCases)
  func otherLayoutsAreErrors(format: EventFormat) throws {
    try directory.write("", to: "train/a/1.jpg")
    #expect(throws: DatasetError.self) { try list(format, .training) }
  }
}
