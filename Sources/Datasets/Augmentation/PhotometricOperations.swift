import Foundation

// Pillow's `ImageEnhance` and `ImageOps`, bit for bit. A factor of 1 changes nothing.
extension DecodedImage {
  /// Scales all samples.
  mutating func adjustBrightness(_ factor: Double) {
    guard factor != 1 else { return }
    let factor = Float(factor)
    lookUp { blend(0, UInt8($0), factor) }
  }

  /// Moves all samples from the mean gray of the image.
  mutating func adjustContrast(_ factor: Double) {
    guard factor != 1 else { return }
    let mean = UInt8(meanGray + 0.5)
    let factor = Float(factor)
    lookUp { blend(mean, UInt8($0), factor) }
  }

  /// Moves all pixels from their gray.
  mutating func adjustSaturation(_ factor: Double) {
    guard factor != 1, channels == 3 else { return }
    let factor = Float(factor)
    forEachPixel { pixel in
      let gray = luma(pixel[0], pixel[1], pixel[2])
      for channel in 0..<3 { pixel[channel] = blend(gray, pixel[channel], factor) }
    }
  }

  /// Turns all hues by a share of the colour circle, -0.5 to 0.5.
  mutating func adjustHue(_ turn: Double) {
    guard channels == 3 else { return }
    let shift = UInt8(truncatingIfNeeded: Int(turn * 255))
    forEachPixel { pixel in
      var color = HSVColor(red: pixel[0], green: pixel[1], blue: pixel[2])
      color.hue &+= shift
      (pixel[0], pixel[1], pixel[2]) = color.rgb
    }
  }

  /// Moves all samples from a smoothed image: the mean of a pixel and its neighbours, in which the
  /// pixel counts 5 times. Pixels at the edge are not smoothed.
  func adjustSharpness(_ factor: Double, into target: inout DecodedImage) {
    target.pixels.withUnsafeMutableBufferPointer { output in
      pixels.withUnsafeBufferPointer { input in
        output.baseAddress!.update(from: input.baseAddress!, count: input.count)
        guard factor != 1, width >= 3, height >= 3 else { return }
        let factor = Float(factor)
        let (rowSize, channels) = (width * channels, channels)
        for row in 1..<height - 1 {
          let center = input.baseAddress! + row * rowSize
          let (above, below) = (center - rowSize, center + rowSize)
          let to = output.baseAddress! + row * rowSize
          for x in channels..<rowSize - channels {
            let (left, right) = (x - channels, x + channels)
            let edges =
              Int32(above[x]) &+ Int32(below[x]) &+ Int32(center[left]) &+ Int32(center[right])
            let corners =
              Int32(above[left]) &+ Int32(above[right]) &+ Int32(below[left]) &+ Int32(below[right])
            let sum = edges &+ corners &+ 5 &* Int32(center[x])
            to[x] = blend(UInt8(truncatingIfNeeded: (2 &* sum &+ 13) / 26), center[x], factor)
          }
        }
      }
    }
  }

  /// Keeps the upper bits of all samples.
  mutating func posterize(bits: Int) {
    lookUp { UInt8($0) & ~UInt8((1 << (8 - bits)) - 1) }
  }

  /// Inverts the samples from a threshold on.
  mutating func solarize(threshold: Double) {
    lookUp { Double($0) < threshold ? UInt8($0) : UInt8(255 - $0) }
  }

  /// Makes the least sample of each channel 0 and the greatest 255.
  mutating func stretchContrast() {
    lookUpByHistogram { counts in
      guard let low = counts.firstIndex(where: { $0 > 0 }),
        let high = counts.lastIndex(where: { $0 > 0 }), low < high
      else { return nil }
      let scale = 255 / Double(high - low)
      let offset = Double(-low) * scale
      return { UInt8(min(max(Double($0) * scale + offset, 0), 255)) }
    }
  }

  /// Makes all samples of a channel about equally frequent.
  mutating func equalize() {
    lookUpByHistogram { counts in
      guard let last = counts.last(where: { $0 > 0 }) else { return nil }
      let step = (counts.reduce(0, +) - last) / 255
      guard step > 0 else { return nil }
      var sum = step / 2
      let table = counts.map { count in
        defer { sum += count }
        return UInt8(min(sum / step, 255))
      }
      return { table[$0] }
    }
  }

  // MARK: Passes over the pixels

  private var meanGray: Double {
    var sum = 0
    pixels.withUnsafeBufferPointer { pixels in
      if channels == 1 {
        for sample in pixels { sum &+= Int(sample) }
      } else {
        for first in stride(from: 0, to: pixels.count, by: 3) {
          sum &+= Int(luma(pixels[first], pixels[first + 1], pixels[first + 2]))
        }
      }
    }
    return Double(sum) / Double(width * height)
  }

  private mutating func forEachPixel(_ body: (UnsafeMutablePointer<UInt8>) -> Void) {
    let channels = channels
    pixels.withUnsafeMutableBufferPointer { pixels in
      for first in stride(from: 0, to: pixels.count, by: channels) {
        body(pixels.baseAddress! + first)
      }
    }
  }

  /// Replaces every sample by what a function gives for it.
  private mutating func lookUp(_ function: (Int) -> UInt8) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { table in
      for sample in 0..<256 { table.initializeElement(at: sample, to: function(sample)) }
      pixels.withUnsafeMutableBufferPointer { pixels in
        for index in pixels.indices { pixels[index] = table[Int(pixels[index])] }
      }
    }
  }

  /// Replaces the samples of each channel by what its own function gives, made from how often each
  /// sample occurs; `nil` leaves the channel as it is.
  private mutating func lookUpByHistogram(_ function: ([Int]) -> ((Int) -> UInt8)?) {
    let channels = channels
    for channel in 0..<channels {
      var counts = [Int](repeating: 0, count: 256)
      pixels.withUnsafeMutableBufferPointer { pixels in
        for index in stride(from: channel, to: pixels.count, by: channels) {
          counts[Int(pixels[index])] &+= 1
        }
        guard let function = function(counts) else { return }
        let table = (0..<256).map(function)
        for index in stride(from: channel, to: pixels.count, by: channels) {
          pixels[index] = table[Int(pixels[index])]
        }
      }
    }
  }
}

/// Between a sample at factor 0 and another at factor 1, or beyond them, cut off to whole numbers.
@inline(__always)
private func blend(_ first: UInt8, _ second: UInt8, _ factor: Float) -> UInt8 {
  UInt8(min(max(Float(first) + factor * Float(Int32(second) - Int32(first)), 0), 255))
}
