/// The sums that make up a weight gradient, over groups of samples that threads go through at the same
/// time.
///
/// Threads share out the units of each sum, which do not depend on each other. Only where the gradient has
/// too few units for many threads are there several groups, so that the sums take little memory. How many
/// does not depend on the number of threads, and so neither does the result.
struct GradientSums: ~Copyable {
  /// Units of all groups that are enough for threads to share.
  static let enoughUnits = 32

  /// Where a group's sum is.
  struct Place {
    let weights: UnsafeMutablePointer<Float>
    let bias: UnsafeMutablePointer<Float>?
  }

  /// Of samples.
  let groups: Int
  private let samples, units: Int
  private let gradient: FloatView
  private let bias: FloatView?
  private let sums: Scratch

  /// - Parameters:
  ///   - outputs: channels, each with a bias.
  ///   - units: of the gradient that can be computed apart from each other.
  ///   - enough: units of all groups.
  init(
    _ gradient: FloatView, bias: FloatView?, outputs: Int, samples: Int, units: Int,
    enough: Int = enoughUnits, _ arena: Arena
  ) {
    groups = Self.groups(samples: samples, units: units, enough: enough)
    (self.samples, self.units, self.gradient, self.bias) = (samples, units, gradient, bias)
    let size = Self.size(
      gradient.count + outputs, samples: samples, units: units, enough: enough)
    sums = Scratch(size, arena)
    sums.clear()
  }

  static func groups(samples: Int, units: Int, enough: Int = enoughUnits) -> Int {
    max(1, min(samples, enough / units))
  }

  /// The memory of the sums of all groups but the first, which adds to the gradient itself.
  ///
  /// - Parameter floats: of a sum.
  static func size(
    _ floats: Int, samples: Int, units: Int, enough: Int = enoughUnits
  ) -> Scratch.Size {
    let groups = groups(samples: samples, units: units, enough: enough)
    return Scratch.Size(floats: floats, parts: groups - 1)
  }

  /// The samples of a group.
  func samples(of group: Int) -> Range<Int> {
    samples * group / groups..<samples * (group + 1) / groups
  }

  /// Where the sum of a group belongs.
  subscript(group: Int) -> Place {
    group == 0
      ? Place(weights: gradient.base, bias: bias?.base)
      : Place(weights: sums[group - 1], bias: sums[group - 1] + gradient.count)
  }

  /// Calls `body` in parallel for parts of the units of each group.
  func forEachPart(_ body: (_ thread: Int, _ group: Int, _ part: Range<Int>) -> Void) {
    parallelFor(groups, units: units, body)
  }

  /// Adds the sums to the gradient, in the order of the groups.
  consuming func addUp() {
    guard groups > 1 else { return }
    let (groups, total) = (groups, gradient.base)
    parallelFor(gradient.count, grain: 16384) { _, range in
      for group in 1..<groups {
        let sum = self[group].weights
        for index in range { total[index] += sum[index] }
      }
    }
    guard let bias else { return }
    for group in 1..<groups {
      for c in 0..<bias.count { bias.base[c] += self[group].bias![c] }
    }
  }
}
