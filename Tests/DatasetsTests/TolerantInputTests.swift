import TestSupport
import Testing

@testable import Datasets

struct TolerantInputTests {
  @Test(arguments: [0, 2]) func badSamplesAreZerosAndTheOthersAsEver(workers: Int) throws {
    let digits = try DigitSubset("val", counts: [2, 2])
    var images = try (0..<4).map { try digits.bytes(of: $0) }
    let good = ImagesInMemory(images: images)
    images[1] = [1, 2, 3]
    images[3] = []
    let transform = try ImageTransform(
      augmentation: .preset(.none), normalization: .mnist, isTraining: false, imageSize: 28,
      channels: 1)
    let input = TolerantInput(ImageInput(ImagesInMemory(images: images), transform))
    func frames(_ input: any SampleInput) throws -> [[Float]] {
      let loader = DataLoader(
        input,
        sampler: Sampler(
          sampleCount: 4, globalBatch: 3, rank: 0, rankCount: 1, order: .sequential),
        seed: 1, workers: workers)
      loader.begin(epoch: 0)
      var frames: [[Float]] = []
      while let batch = try loader.next() {
        frames += (0..<batch.count).map { Array(batch.frames[$0 * 784..<($0 + 1) * 784]) }
      }
      return frames
    }
    var expected = try frames(ImageInput(good, transform))
    expected[1] = [Float](repeating: 0, count: 784)
    expected[3] = expected[1]
    #expect(try frames(input) == expected)
    #expect(input.failure(of: 0) == nil && input.failure(of: 2) == nil)
    #expect("\(input.failure(of: 1)!)".contains("it is neither a JPEG nor a PNG"))
    #expect("\(input.failure(of: 3)!)".contains("the file is empty"))
  }
}
