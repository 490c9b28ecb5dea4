import Foundation

/// Numbers as people read them.
public enum Format {
  /// `0.42 s`, `12.3 s`, `3m 05s`, `2h 07m`, `4d 03h`; `?` if it is not a finite time.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    if seconds < 9.995 { return fixed(seconds, 2) + " s" }
    if seconds < 59.95 { return fixed(seconds, 1) + " s" }
    let whole = Int(seconds.rounded())
    let (minutes, hours) = (whole / 60, whole / 3600)
    if hours == 0 { return "\(minutes)m \(twoDigits(whole % 60))s" }
    if hours < 24 { return "\(hours)h \(twoDigits(minutes % 60))m" }
    return "\(hours / 24)d \(twoDigits(hours % 24))h"
  }

  /// `512 B`, `1.5 KiB`, `2.0 GiB`
  public static func bytes(_ count: Int) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"]
    guard count >= 1024 else { return "\(count) B" }
    var value = Double(count) / 1024
    var unit = 0
    while value >= 1023.95 && unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return "\(fixed(value, 1)) \(units[unit])"
  }

  /// `11,173,962`
  public static func count(_ count: Int) -> String {
    var digits = Array("\(count.magnitude)")
    for position in stride(from: digits.count - 3, to: 0, by: -3) {
      digits.insert(",", at: position)
    }
    return (count < 0 ? "-" : "") + String(digits)
  }

  /// `1 epoch`, `12 epochs`, `2 classes`, `2 batches`
  public static func counted(_ number: Int, _ unit: String) -> String {
    let ending = ["s", "tch"].contains(where: unit.hasSuffix) ? "es" : "s"
    return "\(count(number)) \(number == 1 ? unit : unit + ending)"
  }

  /// A share as `96.1 %`.
  public static func percent(_ share: Double, digits: Int = 1) -> String {
    fixed(share * 100, digits) + " %"
  }

  /// A rate with three digits or all before the point: `4.56`, `45.6`, `456`, `4,560`.
  public static func rate(_ value: Double) -> String {
    guard value.isFinite, value >= 0, value < 1e15 else { return "?" }
    if value < 9.995 { return fixed(value, 2) }
    if value < 99.95 { return fixed(value, 1) }
    return count(Int(value.rounded()))
  }

  /// `4.60 pJ`, `12.3 nJ`, `1.41 µJ`
  public static func energy(picojoules: Double) -> String {
    let units = ["pJ", "nJ", "µJ", "mJ", "J"]
    var (value, unit) = (picojoules, 0)
    while value >= 999.5 && unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return "\(rate(value)) \(units[unit])"
  }

  /// With this many digits after the point.
  public static func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// Numbers in ascending order as `0-3, 7`.
  public static func ranges(_ numbers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ", ")
  }

  private static func twoDigits(_ value: Int) -> String {
    value < 10 ? "0\(value)" : "\(value)"
  }
}
