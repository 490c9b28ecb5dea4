/// A colour as hue, saturation and value of 0 to 255 each, with Pillow's rounding.
struct HSVColor: Equatable {
  /// 0 and 255 are red.
  var hue: UInt8 = 0
  var saturation: UInt8 = 0
  var value: UInt8

  @inline(__always)
  init(red: UInt8, green: UInt8, blue: UInt8) {
    value = max(red, green, blue)
    let least = min(red, green, blue)
    guard least < value else { return }
    let range = Float(value - least)
    func distance(_ sample: UInt8) -> Double { Double(Float(value - sample) / range) }
    let sixths: Double =
      if red == value {
        distance(blue) - distance(green)
      } else if green == value {
        2 + distance(red) - distance(blue)
      } else {
        4 + distance(green) - distance(red)
      }
    let turn = Double(Float(sixths)) / 6 + 1
    hue = UInt8(Double(Float(turn >= 1 ? turn - 1 : turn)) * 255)
    saturation = UInt8(Double(range / Float(value)) * 255)
  }

  @inline(__always)
  var rgb: (UInt8, UInt8, UInt8) {
    guard saturation > 0 else { return (value, value, value) }
    let position = Double(hue) * 6 / 255
    let sector = Int(position)
    let rest = Float(position - Double(sector))
    let share = Float(Double(saturation) / 255)
    func shaded(_ loss: Double) -> UInt8 { UInt8(Double(value) * (1 - loss) + 0.5) }
    let least = shaded(Double(share))
    let falling = shaded(Double(share * rest))
    let rising = shaded(Double(share) * (1 - Double(rest)))
    switch sector % 6 {
    case 0: return (value, rising, least)
    case 1: return (falling, value, least)
    case 2: return (least, value, rising)
    case 3: return (least, falling, value)
    case 4: return (rising, least, value)
    default: return (value, least, falling)
    }
  }
}
