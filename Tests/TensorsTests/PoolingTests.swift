import TestSupport
import Testing

@testable import Tensors

struct PoolingTests {
  /// A way of pooling and what it should do along one direction: the pixels (the padding's included,
  /// which are zeros) that each output averages.
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var height, width: Int
    var pooling: @Sendable (Shape) -> AveragePooling
    var covered: @Sendable (_ extent: Int) -> [Range<Int>]

    static func window(_ height: Int, _ width: Int, _ window: SlidingWindow) -> Case {
      Case(
        testDescription: "\(height)x\(width) \(window)", height: height, width: width,
        pooling: { AveragePooling(input: $0, window: window) }
      ) { extent in
        var ranges: [Range<Int>] = []
        var start = -window.padding
        while start + window.kernel <= extent + window.padding {
          ranges.append(start..<start + window.kernel)
          start += window.stride
        }
        return ranges
      }
    }

    static func adaptive(_ height: Int, _ width: Int, to count: Int) -> Case {
      Case(
        testDescription: "\(height)x\(width) adaptive \(count)", height: height, width: width,
        pooling: { AveragePooling(input: $0, adaptiveHeight: count, width: count) }
      ) { extent in
        (0..<count).map { output in
          let start = Double(output * extent) / Double(count)
          let end = Double((output + 1) * extent) / Double(count)
          return Int(start.rounded(.down))..<Int(end.rounded(.up))
        }
      }
    }

    func reference(_ x: [Float], _ input: Shape) -> [Float] {
      var y: [Float] = []
      for sample in 0..<input.n {
        for rows in covered(input.h) {
          for columns in covered(input.w) {
            for c in 0..<input.c {
              var sum = 0.0
              for row in rows where (0..<input.h).contains(row) {
                for column in columns where (0..<input.w).contains(column) {
                  sum += Double(x[((sample * input.h + row) * input.w + column) * input.c + c])
                }
              }
              y.append(Float(sum / Double(rows.count * columns.count)))
            }
          }
        }
      }
      return y
    }
  }

  static let cases: [Case] = [
    .window(6, 8, SlidingWindow(kernel: 2, stride: 2)),
    .window(7, 5, SlidingWindow(kernel: 2, stride: 2)),
    .window(4, 4, SlidingWindow(kernel: 4, stride: 4)),
    .window(8, 7, SlidingWindow(kernel: 3, stride: 2, padding: 1)),
    .window(1, 2, SlidingWindow(kernel: 3, stride: 2, padding: 1)),
    .window(5, 5, SlidingWindow(kernel: 3, stride: 1, padding: 0)),
    .adaptive(1, 1, to: 7), .adaptive(2, 2, to: 7), .adaptive(3, 3, to: 7),
    .adaptive(7, 7, to: 7), .adaptive(10, 10, to: 7), .adaptive(5, 9, to: 1),
    .adaptive(16, 2, to: 7),
  ]

  @Test(arguments: cases, [(5, 1), (64, 2), (150, 3), (5, 3)])
  func averagesAndTheirAdjoint(_ test: Case, _ setting: (channels: Int, threads: Int)) {
    let (arena, threads) = (testArena(), setting.threads)
    // Large enough that three threads take part where there are many channels.
    let input = Shape(n: 3, h: test.height, w: test.width, c: setting.channels)
    let pooling = test.pooling(input.withSamples(1))
    let output = pooling.output(samples: 3)
    #expect(output.h == test.covered(input.h).count && output.w == test.covered(input.w).count)
    let (x, gy) = (randomFloats(input.count, seed: 1), randomFloats(output.count, seed: 2))
    withThreads(threads) {
      let y = pooling.forward(Tensor(input, x, in: arena), in: arena).elements
      expectClose(y, test.reference(x, input), "y")
      for amplitudes in RandomPlanes.amplitudes {
        let planes = RandomPlanes(input, amplitudes: amplitudes, in: arena)
        expectClose(
          pooling.forward(planes.spikes, in: arena).elements,
          test.reference(planes.values, input), "y of spikes of \(amplitudes)")
      }
      let gx = pooling.backward(Tensor(output, gy, in: arena), in: arena).elements
      // The backward pass is the transpose: <gx, x> = <gy, y> for whatever x and gy.
      let inner = zip(gx, x).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      let outer = zip(gy, y).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      #expect(abs(inner - outer) < 1e-5 * max(1, abs(outer)))
      // Bit for bit the same from run to run, whatever the threads.
      let again = pooling.backward(Tensor(output, gy, in: arena), in: arena).elements
      let alone = withThreads(1) {
        pooling.backward(Tensor(output, gy, in: arena), in: arena).elements
      }
      #expect(gx == again && gx == alone)
    }
  }

  /// In a time that grows with the number of pixels along an axis, not with its square.
  @Test func largeImagesAreSoonPrepared() {
    let pooling = AveragePooling(
      input: Shape(n: 1, h: 1_000_001, w: 1_000_001, c: 1),
      window: SlidingWindow(kernel: 3, stride: 2, padding: 1))
    #expect(pooling.output(samples: 1) == Shape(n: 1, h: 500_001, w: 500_001, c: 1))
  }
}
