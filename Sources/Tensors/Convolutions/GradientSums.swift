/// The sums that make up a weight gradient, over groups of samples that threads go through at the same
/// time.
///
/// A sum for each thread would take more memory than all else where there are many threads. So there
/// are no more groups than fit into `mostBytes`, and threads share out the parts of each sum as well.
/// With one group, what threads compute is added to the gradient itself, and does not depend on their
/// number.
struct GradientSums: ~Copyable {
  /// Bytes of the sums of all groups.
  static let mostBytes = 8 << 20

  /// Where a group's sum is.
  struct Place {
    let weights: UnsafeMutablePointer<Float>
    let bias: UnsafeMutablePointer<Float>?
  }

  /// Of samples.
  let groups: Int
  private let samples: Int
  private let gradient: FloatView
  private let bias: FloatView?
  private let sums: Scratch

  /// - Parameters:
  ///   - outputs: channels, each with a bias.
  ///   - parts: of the gradient among which threads can be divided at no cost.
  init(
    _ gradient: FloatView, bias: FloatView?, outputs: Int, samples: Int, parts: Int, _ arena: Arena
  ) {
    let size = Self.size(gradient.count + outputs, samples: samples, parts: parts)
    groups = size.parts
    (self.samples, self.gradient, self.bias) = (samples, gradient, bias)
    let sums = Scratch(size, arena)
    if groups > 1 {
      let groups = groups
      parallelFor(groups) { _, part in
        for group in part { sums[group].update(repeating: 0, count: size.floats) }
      }
    }
    self.sums = sums
  }

  /// The memory of the sums; one part for each group.
  ///
  /// - Parameter floats: of a sum.
  static func size(_ floats: Int, samples: Int, parts: Int) -> Scratch.Size {
    let threads = ThreadPool.threads
    let groups = parts < threads ? min(threads, samples, mostBytes / (4 * floats)) : 1
    return groups > 1 ? Scratch.Size(floats: floats, parts: groups) : Scratch.Size(floats: 0)
  }

  /// The samples of a group.
  func samples(of group: Int) -> Range<Int> {
    samples * group / groups..<samples * (group + 1) / groups
  }

  /// Where the sum of a group belongs.
  subscript(group: Int) -> Place {
    groups == 1
      ? Place(weights: gradient.base, bias: bias?.base)
      : Place(weights: sums[group], bias: sums[group] + gradient.count)
  }

  /// Calls `body` in parallel for parts of all sums, each of which has so many `units`.
  func forEachPart(
    units: Int, _ body: (_ thread: Int, _ group: Int, _ part: Range<Int>) -> Void
  ) {
    parallelFor(groups, units: units, body)
  }

  /// Adds the sums to the gradient, in the order of the groups.
  consuming func addUp() {
    guard groups > 1 else { return }
    let (groups, total) = (groups, gradient.base)
    parallelFor(gradient.count, grain: 16384) { _, range in
      for group in 0..<groups {
        let sum = sums[group]
        for index in range { total[index] += sum[index] }
      }
    }
    guard let bias else { return }
    for group in 0..<groups {
      for c in 0..<bias.count { bias.base[c] += sums[group][gradient.count + c] }
    }
  }
}
