import TestSupport
import Testing

@testable import Tensors

struct ChannelSumsTests {
  static let channelCounts = [1, 3, 10, 16, 24, 64, 100]

  /// Numbers for enough rows that three threads take part.
  private struct Rows {
    let channels: Int
    let shape: Shape
    let x, g, a, b, c: [Float]

    init(_ channels: Int) {
      self.channels = channels
      shape = Shape(n: 1, w: 3 * pixelGrain(channels: channels) + 5, c: channels)
      x = randomFloats(shape.count, seed: 1)
      g = randomFloats(shape.count, seed: 2)
      (a, b, c) = (
        randomFloats(channels, seed: 3), randomFloats(channels, seed: 4),
        randomFloats(channels, seed: 5)
      )
    }

    func sums(_ term: (_ index: Int, _ channel: Int) -> Double) -> [Float] {
      var sums = [Double](repeating: 0, count: channels)
      for index in 0..<shape.count { sums[index % channels] += term(index, index % channels) }
      return sums.map { Float($0) }
    }

    func map(_ value: (_ index: Int, _ channel: Int) -> Double) -> [Float] {
      (0..<shape.count).map { Float(value($0, $0 % channels)) }
    }
  }

  private func both(_ sums: ChannelSums) -> (first: [Float], second: [Float]) {
    (
      (0..<sums.channels).map { Float(sums.first($0)) },
      (0..<sums.channels).map { Float(sums.second($0)) }
    )
  }

  @Test(arguments: channelCounts, [1, 2, 3])
  func sumsAgreeWithPlainOnes(_ channels: Int, _ threads: Int) {
    let (rows, sums, arena) = (Rows(channels), ChannelSums(channels: channels), testArena())
    withThreads(threads) {
      for takesTensor in [true, false] {
        if takesTensor {
          sums.takeMoments(of: Tensor(rows.shape, rows.x, in: arena), around: view(rows.a))
        } else {
          sums.takeMoments(ofRows: view(rows.x), around: view(rows.a))
        }
        let moments = both(sums)
        expectClose(
          moments.first, rows.sums { Double(rows.x[$0]) - Double(rows.a[$1]) }, "moments")
        expectClose(
          moments.second,
          rows.sums { index, c in
            let d = Double(rows.x[index]) - Double(rows.a[c])
            return d * d
          }, "squares")
      }
      sums.takeProducts(ofRows: view(rows.g), with: view(rows.x), mean: view(rows.a))
      let products = both(sums)
      let scale = Float(rows.shape.w).squareRoot()
      expectClose(
        products.first, rows.sums { index, _ in Double(rows.g[index]) }, scale: scale, "sums")
      expectClose(
        products.second,
        rows.sums { Double(rows.g[$0]) * (Double(rows.x[$0]) - Double(rows.a[$1])) }, scale: scale,
        "products")
    }
  }

  @Test func sumsOverPartsAddUp() {
    let (rows, total, part) = (Rows(3), ChannelSums(channels: 3), ChannelSums(channels: 3))
    let half = rows.shape.pixels / 2 * 3
    for rows in [rows.x[..<half], rows.x[half...]].map(Array.init) {
      part.takeMoments(ofRows: view(rows), around: view([0, 0, 0]))
      total.add(part)
    }
    let moments = both(total)
    expectClose(moments.first, rows.sums { index, _ in Double(rows.x[index]) }, "values")
    expectClose(
      moments.second, rows.sums { index, _ in Double(rows.x[index] * rows.x[index]) }, "squares")
    total.reset()
    #expect(both(total).first + both(total).second == [0, 0, 0, 0, 0, 0])
  }

  @Test(arguments: [1, 2, 3]) func sumsAreTheSameFromRunToRun(_ threads: Int) {
    let rows = Rows(24)
    withThreads(threads) {
      let runs = (0..<5).map { _ in
        let sums = ChannelSums(channels: 24)
        sums.takeMoments(ofRows: view(rows.x), around: view(rows.a))
        return (0..<24).map { [sums.first($0), sums.second($0)] }
      }
      for run in runs { #expect(run == runs[0]) }
    }
  }

  @Test(arguments: channelCounts, [1, 2, 3])
  func rowsAreCombined(_ channels: Int, _ threads: Int) {
    let (rows, arena) = (Rows(channels), testArena())
    let (a, b, c) = (view(rows.a), view(rows.b), view(rows.c))
    let expected = rows.map {
      Double(rows.a[$1]) * Double(rows.g[$0]) + Double(rows.b[$1]) * Double(rows.x[$0])
        + Double(rows.c[$1])
    }
    withThreads(threads) {
      var tensor = Tensor(rows.shape, rows.g, in: arena)
      let x = SharedTensor(Tensor(rows.shape, rows.x, in: arena))
      tensor.combine(a: a, b: b, with: .exact(x), c: c)
      expectClose(tensor.elements, expected, tolerance: 1e-6, "tensor")

      tensor = Tensor(rows.shape, rows.g, in: arena)
      let rounded = RoundedTensor(rows.shape, in: arena)
      for index in rows.x.indices {
        rounded.pointer[index] = UInt16(BFloat16BlockTests.rounded(rows.x[index]).bitPattern >> 16)
      }
      tensor.combine(a: a, b: b, with: .centered(rounded), c: c)
      let ofRounded = rows.map {
        Double(rows.a[$1]) * Double(rows.g[$0])
          + Double(rows.b[$1]) * Double(BFloat16BlockTests.rounded(rows.x[$0]))
          + Double(rows.c[$1])
      }
      expectClose(tensor.elements, ofRounded, tolerance: 1e-6, "tensor of rounded")

      let matrix = view(rows.g)
      matrix.combineRows(a: a, b: b, with: view(rows.x), c: c)
      expectClose(matrix.elements, expected, tolerance: 1e-6, "matrix")

      view(rows.x).copyRows(to: matrix.base, ChannelAffine(scale: a, shift: b))
      expectClose(
        matrix.elements,
        rows.map { Double(rows.a[$1]) * Double(rows.x[$0]) + Double(rows.b[$1]) },
        tolerance: 1e-6, "affine")
    }
  }

  @Test func uniformAffineScalesAlone() {
    let affine = ChannelAffine(uniform: 0.25, channels: 5)
    #expect(affine.scale.elements == [Float](repeating: 0.25, count: 5))
    #expect(affine.shift.elements == [Float](repeating: 0, count: 5))
  }
}
