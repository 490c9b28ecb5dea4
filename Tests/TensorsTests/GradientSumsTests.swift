import Testing

@testable import Tensors

struct GradientSumsTests {
  /// More threads than fit share the sums.
  @Test(arguments: [1, 2, 16, 200]) func memoryIsBounded(threads: Int) {
    withThreads(threads) {
      for floats in [1, 100, 37_000, 600_000, 2_400_000, 10_000_000] {
        let size = GradientSums.size(floats, samples: 64, parts: 1)
        #expect(size.bytes <= GradientSums.mostBytes + 64 * size.parts)
        #expect(size.parts <= min(threads, 64))
        #expect(size.parts == 1 || size.floats == floats)
      }
      #expect(GradientSums.size(100, samples: 64, parts: 1).parts == min(threads, 64))
      #expect(GradientSums.size(100, samples: 64, parts: 200).parts == 1)
      #expect(GradientSums.size(100, samples: 0, parts: 1).parts == 1)
    }
  }

  /// Every unit of every group comes once, and the groups have all samples.
  @Test(arguments: [1, 2, 3, 8], [1, 2, 7, 40]) func partsCoverTheSums(threads: Int, units: Int) {
    withThreads(threads) {
      let (gradient, bias, samples) = (view([1, 2, 3]), view([4]), 5)
      let sums = GradientSums(
        gradient, bias: bias, outputs: 1, samples: samples, parts: 1, testArena())
      #expect((0..<sums.groups).flatMap { Array(sums.samples(of: $0)) } == Array(0..<samples))
      #expect(sums.groups == min(threads, samples))
      let visits = FlatBuffer(count: sums.groups * units).all
      sums.forEachPart(units: units) { _, group, part in
        for unit in part { visits[group * units + unit] += 1 }
      }
      #expect(visits.elements.allSatisfy { $0 == 1 })
      let groups = sums.groups
      for group in 0..<groups {
        for index in 0..<3 { sums[group].weights[index] += Float(group + 1) }
        sums[group].bias?[0] += 10
      }
      sums.addUp()
      let total = Float(groups * (groups + 1) / 2)
      #expect(gradient.elements == [1 + total, 2 + total, 3 + total])
      #expect(bias.elements == [4 + 10 * Float(groups)])
    }
  }
}
