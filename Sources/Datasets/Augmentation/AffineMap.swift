import Foundation

/// Where in an image each pixel of a transformed image comes from, with coordinates that are whole
/// numbers at the corners of pixels:
///
///     x = a x' + b y' + c;  y = d x' + e y' + f
struct AffineMap: Equatable {
  var a = 1.0
  var b = 0.0
  var c = 0.0
  var d = 0.0
  var e = 1.0
  var f = 0.0

  /// Moves row y by `shift * y` pixels to the left, or column x by as much up.
  static func shear(x shift: Double = 0, y: Double = 0) -> AffineMap {
    AffineMap(b: tan(atan(shift)), d: tan(atan(y)))
  }

  /// Moves the image to the right and down by whole pixels.
  static func translation(x: Double = 0, y: Double = 0) -> AffineMap { AffineMap(c: -x, f: -y) }

  /// Turns the image counter-clockwise around its centre.
  static func rotation(degrees: Double, width: Double, height: Double) -> AffineMap {
    func rounded(_ value: Double) -> Double { (value * 1e15).rounded() / 1e15 }
    let turn = degrees.truncatingRemainder(dividingBy: 360)
    let angle = -(turn < 0 ? turn + 360 : turn) * .pi / 180
    let (cosine, sine) = (rounded(cos(angle)), rounded(sin(angle)))
    let (x, y) = (width / 2, height / 2)
    return AffineMap(
      a: cosine, b: sine, c: cosine * -x + sine * -y + x,
      d: -sine, e: cosine, f: -sine * -x + cosine * -y + y)
  }

  /// Takes the nearest pixels, like Pillow by stepping through the image in 16-bit fixed point.
  func apply(to source: DecodedImage, fill: UInt8, into target: inout DecodedImage) {
    func fixed(_ value: Double) -> Int { Int((value * 65536 + 0.5).rounded(.down)) }
    let (a, b, c) = (fixed(a), fixed(b), fixed(c + a * 0.5 + b * 0.5))
    let (d, e, f) = (fixed(d), fixed(e), fixed(f + d * 0.5 + e * 0.5))
    let (width, height, channels) = (source.width, source.height, source.channels)
    source.pixels.withUnsafeBufferPointer { pixels in
      target.pixels.withUnsafeMutableBufferPointer { output in
        let from = pixels.baseAddress!
        var to = output.baseAddress!
        for row in 0..<height {
          var (x, y) = (c + b * row, f + e * row)
          for _ in 0..<width {
            let (column, line) = (x >> 16, y >> 16)
            if 0 <= column, column < width, 0 <= line, line < height {
              let pixel = from + (line * width + column) * channels
              for channel in 0..<channels { to[channel] = pixel[channel] }
            } else {
              for channel in 0..<channels { to[channel] = fill }
            }
            to += channels
            x += a
            y += d
          }
        }
      }
    }
  }
}
