/// An image on its way through the steps of a transform. Keeps its memory from image to image.
///
/// A resize is put off until pixels are needed, so that only what is left by the crops that follow is
/// computed.
struct ImageCanvas {
  /// A resize that is still to be done: `region` of the image is to be resized to `width` x `height`,
  /// and `window` of that is what the canvas shows.
  private struct Resizing {
    var region: PixelRectangle
    var width: Int
    var height: Int
    var window: PixelRectangle
  }

  /// The side of the network's input, for steps without a size of their own.
  let imageSize: Int
  private var image = DecodedImage()
  private var spare = DecodedImage()
  private var resizing: Resizing?
  private var resampler = Resampler()

  init(imageSize: Int) {
    self.imageSize = imageSize
  }

  var width: Int { resizing?.window.width ?? image.width }
  var height: Int { resizing?.window.height ?? image.height }
  private var whole: PixelRectangle { PixelRectangle(width: width, height: height) }

  /// Takes an image over; its variable gets memory for another in return.
  mutating func load(_ image: inout DecodedImage) {
    swap(&self.image, &image)
    resizing = nil
  }

  /// Resizes a region to `width` x `height`; the rest is dropped.
  mutating func resize(_ region: PixelRectangle, toWidth width: Int, height: Int) {
    guard region != whole || width != self.width || height != self.height else { return }
    resize()
    resizing = Resizing(
      region: region, width: width, height: height,
      window: PixelRectangle(width: width, height: height))
  }

  /// Keeps a rectangle. What of it lies outside the image is 0.
  mutating func crop(_ rectangle: PixelRectangle) {
    guard rectangle != whole else { return }
    let isInside =
      rectangle.x >= 0 && rectangle.x + rectangle.width <= width
      && rectangle.y >= 0 && rectangle.y + rectangle.height <= height
    if isInside, let window = resizing?.window {
      resizing?.window = PixelRectangle(
        x: window.x + rectangle.x, y: window.y + rectangle.y, width: rectangle.width,
        height: rectangle.height)
    } else {
      replace { $0.copy(rectangle, into: &$1) }
    }
  }

  /// Changes the pixels in place.
  mutating func edit(_ body: (inout DecodedImage) -> Void) {
    resize()
    body(&image)
  }

  /// Puts another image in the place of this one. `body` gets the two in this order; the second has
  /// the size of the first and meaningless pixels.
  mutating func replace(_ body: (DecodedImage, inout DecodedImage) -> Void) {
    resize()
    spare.reshape(width: image.width, height: image.height, channels: image.channels)
    body(image, &spare)
    swap(&image, &spare)
  }

  /// Does the resize that was put off.
  private mutating func resize() {
    guard let resizing else { return }
    self.resizing = nil
    resampler.resize(
      image, region: resizing.region, toWidth: resizing.width, height: resizing.height,
      window: resizing.window, into: &spare)
    swap(&image, &spare)
  }
}

extension DecodedImage {
  /// Copies a rectangle, with 0 for what lies outside.
  fileprivate func copy(_ rectangle: PixelRectangle, into target: inout DecodedImage) {
    target.reshape(width: rectangle.width, height: rectangle.height, channels: channels)
    let columns =
      max(rectangle.x, 0)..<max(min(rectangle.x + rectangle.width, width), 0, rectangle.x)
    let skipped = (columns.lowerBound - rectangle.x) * channels
    let count = columns.count * channels
    let rowSize = rectangle.width * channels
    pixels.withUnsafeBufferPointer { source in
      target.pixels.withUnsafeMutableBufferPointer { target in
        for row in 0..<rectangle.height {
          let to = target.baseAddress! + row * rowSize
          let y = rectangle.y + row
          guard 0..<height ~= y, count > 0 else {
            to.update(repeating: 0, count: rowSize)
            continue
          }
          to.update(repeating: 0, count: skipped)
          (to + skipped).update(
            from: source.baseAddress! + offset(x: columns.lowerBound, y: y), count: count)
          (to + skipped + count).update(repeating: 0, count: rowSize - skipped - count)
        }
      }
    }
  }

  /// Mirrors left and right.
  mutating func flip() {
    let (width, channels) = (width, channels)
    pixels.withUnsafeMutableBufferPointer { pixels in
      for row in stride(
        from: pixels.baseAddress!, to: pixels.baseAddress! + pixels.count, by: width * channels)
      {
        var (left, right) = (row, row + (width - 1) * channels)
        while left < right {
          for channel in 0..<channels {
            (left[channel], right[channel]) = (right[channel], left[channel])
          }
          left += channels
          right -= channels
        }
      }
    }
  }
}
