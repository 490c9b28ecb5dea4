/// The greatest value of each window that slides over an image, for each channel. Padding never counts. Where
/// several are the greatest, the gradient goes to the first of them, row by row, as in PyTorch.
public struct MaxPooling: Sendable {
  /// Of one sample.
  public let input: Shape
  /// Of one sample.
  public let output: Shape
  private let window: SlidingWindow

  /// - Precondition: every window covers a pixel of the image.
  public init(input: Shape, window: SlidingWindow) {
    precondition(window.padding < window.kernel)
    self.input = input.withSamples(1)
    self.window = window
    output = window.output(of: input.withSamples(1), channels: input.c)
  }

  /// Calls `body` with the number of each output pixel of a sample and those of the input pixels that it
  /// covers, row by row.
  private func forEachWindow(_ body: (_ output: Int, _ covered: [Int]) -> Void) {
    var covered: [Int] = []
    for y in 0..<output.h {
      for x in 0..<output.w {
        covered.removeAll(keepingCapacity: true)
        for row in window.covered(by: y, along: input.h) {
          for column in window.covered(by: x, along: input.w) {
            covered.append(row * input.w + column)
          }
        }
        body(y * output.w + x, covered)
      }
    }
  }

  public func forward(_ x: borrowing Tensor, in arena: Arena) -> Tensor {
    let y = Tensor(output.withSamples(x.shape.n), in: arena)
    let (source, destination, channels) = (x.pointer, y.pointer, input.c)
    parallelFor(x.shape.n) { _, samples in
      for sample in samples {
        let from = source + sample * input.count
        let to = destination + sample * output.count
        forEachWindow { pixel, covered in
          for c in 0..<channels {
            to[pixel * channels + c] = from[first(of: covered, from, c) * channels + c]
          }
        }
      }
    }
    return y
  }

  /// The first of the covered pixels with the greatest value of channel `c`; a value that is not a number is
  /// greater than all.
  private func first(of covered: [Int], _ image: UnsafePointer<Float>, _ c: Int) -> Int {
    var best = covered[0]
    for pixel in covered.dropFirst() {
      let (value, most) = (image[pixel * input.c + c], image[best * input.c + c])
      if value > most || value.isNaN && !most.isNaN { best = pixel }
    }
    return best
  }

  /// The gradient of the input x from that of the output.
  public func backward(_ gy: borrowing Tensor, input x: borrowing Tensor, in arena: Arena) -> Tensor
  {
    var gx = Tensor(x.shape, in: arena)
    gx.fill(0)
    let (source, image, destination, channels) = (gy.pointer, x.pointer, gx.pointer, input.c)
    parallelFor(x.shape.n) { _, samples in
      for sample in samples {
        let (from, to) = (source + sample * output.count, destination + sample * input.count)
        let values = UnsafePointer(image + sample * input.count)
        forEachWindow { pixel, covered in
          for c in 0..<channels {
            to[first(of: covered, values, c) * channels + c] += from[pixel * channels + c]
          }
        }
      }
    }
    return gx
  }

  /// The greatest number of spikes of each window.
  ///
  /// - Precondition: the spikes are binary numbers.
  public func forward(_ x: Spikes, in arena: Arena) -> Spikes {
    let y = Spikes(
      output.withSamples(x.shape.n), levels: x.levels!, amplitude: x.amplitude, in: arena)
    let (source, destination, words) = (x.words, y.words, wordsPerPixel)
    parallelFor(x.shape.n) { _, samples in
      for sample in samples {
        forEachWindow { pixel, covered in
          for word in 0..<words {
            let to = (sample * output.pixels + pixel) * words + word
            withGreatest(source, sample, covered, word) { greatest in
              for plane in destination.indices { destination[plane][to] = greatest[plane] }
            }
          }
        }
      }
    }
    y.countSpikes()
    return y
  }

  /// The gradient of what the spikes x stand for, from that of the output.
  ///
  /// - Precondition: the spikes are binary numbers.
  public func backward(_ gy: borrowing Tensor, input x: Spikes, in arena: Arena) -> Tensor {
    precondition(x.levels != nil)
    var gx = Tensor(x.shape, in: arena)
    gx.fill(0)
    let (from, to, planes) = (gy.pointer, gx.pointer, x.words)
    let (channels, words) = (input.c, wordsPerPixel)
    parallelFor(x.shape.n) { _, samples in
      for sample in samples {
        forEachWindow { pixel, covered in
          let gradient = from + (sample * output.pixels + pixel) * channels
          for word in 0..<words {
            withGreatest(planes, sample, covered, word) { greatest in
              let count = min(64, channels - 64 * word)
              // Channels that no covered pixel has got the gradient of.
              var left = count == 64 ? ~0 : UInt64(1) << UInt64(count) - 1
              for covered in covered where left != 0 {
                let at = sample * input.pixels + covered
                var equal = left
                for plane in planes.indices {
                  equal &= ~(planes[plane][at * words + word] ^ greatest[plane])
                }
                left &= ~equal
                while equal != 0 {
                  let c = 64 * word + equal.trailingZeroBitCount
                  to[at * channels + c] += gradient[c]
                  equal &= equal - 1
                }
              }
            }
          }
        }
      }
    }
    return gx
  }

  private var wordsPerPixel: Int { SpikeTensor.wordsPerPixel(channels: input.c) }

  /// Calls `body` with the greatest of the covered pixels' numbers, bit by bit, for 64 channels.
  private func withGreatest(
    _ planes: [UnsafeMutablePointer<UInt64>], _ sample: Int, _ covered: [Int], _ word: Int,
    _ body: (UnsafeMutableBufferPointer<UInt64>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: planes.count) { greatest in
      greatest.update(repeating: 0)
      for pixel in covered {
        let at = (sample * input.pixels + pixel) * wordsPerPixel + word
        // Channels whose higher bits are equal, and those where the new number is greater.
        var (undecided, isGreater): (UInt64, UInt64) = (~0, 0)
        for plane in planes.indices.reversed() {
          let differs = (planes[plane][at] ^ greatest[plane]) & undecided
          isGreater |= differs & planes[plane][at]
          undecided &= ~differs
        }
        for plane in planes.indices {
          greatest[plane] = greatest[plane] & ~isGreater | planes[plane][at] & isGreater
        }
      }
      body(greatest)
    }
  }
}
