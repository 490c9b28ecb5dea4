import Tensors
import Testing

@testable import Datasets

struct EventTransformTests {
  /// A frame `[3, 3, 2]` whose first polarity has the numbers 1 to 9, and the second their tens.
  private let frame: [Float] = (1...9).flatMap { [Float($0), Float($0) * 10] }

  private func placed(_ placement: EventTransform.Placement) -> [Float] {
    let transform = EventTransform(augmentation: nil, normalization: .none, imageSize: 3)
    var output = [Float](repeating: -1, count: 18)
    output.withUnsafeMutableBufferPointer { transform.place(frame, placement, output: $0) }
    #expect(stride(from: 0, to: 18, by: 2).allSatisfy { output[$0 + 1] == 10 * output[$0] })
    return stride(from: 0, to: 18, by: 2).map { output[$0] }
  }

  @Test func placements() {
    #expect(placed(.init()) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(placed(.init(isFlipped: true)) == [3, 2, 1, 6, 5, 4, 9, 8, 7])
    #expect(placed(.init(shift: (1, 0))) == [0, 1, 2, 0, 4, 5, 0, 7, 8])
    #expect(placed(.init(shift: (0, -1))) == [4, 5, 6, 7, 8, 9, 0, 0, 0])
    #expect(placed(.init(roll: (1, 0))) == [3, 1, 2, 6, 4, 5, 9, 7, 8])
    #expect(placed(.init(roll: (0, -1))) == [4, 5, 6, 7, 8, 9, 1, 2, 3])
    #expect(placed(.init(isFlipped: true, shift: (1, 0))) == [0, 3, 2, 0, 6, 5, 0, 9, 8])
  }

  @Test func choicesStayWithinTheirLimits() {
    let transform = EventTransform(
      augmentation: .init(flips: true, shift: 2, roll: 5), normalization: .none, imageSize: 3)
    var flips = 0
    var (shifts, rolls): (Set<Int>, Set<Int>) = ([], [])
    for sample in 0..<400 {
      var random = RandomStream(seed: 1, purpose: .augmentation, time: 0, index: sample)
      let placement = transform.placement(&random)
      flips += placement.isFlipped ? 1 : 0
      shifts.formUnion([placement.shift.x, placement.shift.y])
      rolls.formUnion([placement.roll.x, placement.roll.y])
    }
    #expect((150...250).contains(flips))
    #expect(shifts == Set(-2...2))
    #expect(rolls == Set(-5...5))
  }

  @Test func resizingKeepsWhatIsUniformAndAveragesBlocks() {
    var resampler = FrameResampler(from: Sensor(width: 6, height: 4), to: 2)
    var output = [Float](repeating: 0, count: 8)
    resampler.resize((0..<48).map { $0 % 2 == 0 ? 3 : 5 }, into: &output)
    #expect(zip(output, [3, 5, 3, 5, 3, 5, 3, 5]).allSatisfy { abs($0 - $1) < 1e-5 })

    // Rows 0, 1, 2, 3 with the triangle's weights 3, 3, 1 of 7 (by Pillow: mode "F", BILINEAR).
    let rows = (0..<4).flatMap { y in (0..<12).map { _ in Float(y) } }
    resampler.resize(rows, into: &output)
    #expect(abs(output[0] - 5.0 / 7) < 1e-5)
    #expect(abs(output[4] - 16.0 / 7) < 1e-5)
  }
}
