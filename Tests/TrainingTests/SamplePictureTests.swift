import TestSupport
import Testing

@testable import Datasets
@testable import Training

struct SamplePictureTests {
  /// A batch of two samples, the first of which is empty.
  private func picture(
    of frames: [[Float]], size: Int, _ normalization: NormalizationPreset
  ) -> SamplePicture {
    let storage = BatchStorage(capacity: 2, timesteps: frames.count, frameCount: frames[0].count)
    for (t, frame) in frames.enumerated() {
      for (index, value) in frame.enumerated() {
        storage.frames[(2 * t + 1) * frame.count + index] = value
      }
    }
    let batch = Batch(
      iteration: 0, count: 2, offset: 0, globalCount: 2, mixedShare: nil, replaced: 0,
      storage: storage)
    return SamplePicture(batch, 1, normalization: normalization, size: size)
  }

  private func pixels(_ picture: SamplePicture) throws -> [UInt8] {
    try DecodedImage(ofFile: picture.png).pixels
  }

  @Test func imagesAreAsTheyWereBeforeTheirNormalization() throws {
    let samples = (0..<12).map { UInt8(20 * $0 + 3) }
    let normalization = try Normalization(.imagenet, channels: 3)
    let values = normalization.withTable { table in
      samples.enumerated().map { table[256 * ($0 % 3) + Int($1)] }
    }
    let color = picture(of: [values], size: 2, .imagenet)
    #expect(try pixels(color) == samples && !color.isOfEvents)
    let gray = picture(of: [[0, 0.2, 0.4, 1]], size: 2, .unit)
    #expect(try pixels(gray) == [0, 51, 102, 255].flatMap { [$0, $0, $0] } && !gray.isOfEvents)
  }

  /// Events of falling and of rising brightness at each pixel, at two time steps.
  @Test func recordingsAreTheSumOfTheirFrames() throws {
    let events = picture(
      of: [[1, 0, 0, 2, 0, 0, 0, 0], [0, 0, 1, 2, 2, 0, 0, 0]], size: 2, .none)
    // 1 falls; 1 falls, 4 rise; 2 fall; none.
    #expect(try pixels(events) == [0, 0, 64, 255, 0, 64, 0, 0, 128, 0, 0, 0])
    #expect(events.isOfEvents)
    let nothing = picture(of: [[0, 0, .nan, 0, 0, 0, 0, 0]], size: 2, .none)
    #expect(try pixels(nothing) == [UInt8](repeating: 0, count: 12))
  }
}
