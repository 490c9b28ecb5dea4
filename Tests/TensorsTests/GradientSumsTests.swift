import TestSupport
import Testing

@testable import Tensors

struct GradientSumsTests {
  /// Few units of several groups, or many of one, whatever the number of threads.
  @Test(arguments: [1, 2, 16, 200]) func groupsMakeUpForUnits(threads: Int) {
    withThreads(threads) {
      for (units, groups) in [(1, 32), (4, 8), (5, 6), (16, 2), (17, 1), (32, 1), (1000, 1)] {
        #expect(GradientSums.groups(samples: 64, units: units) == groups)
        // The first adds to the gradient itself.
        let size = GradientSums.size(100, samples: 64, units: units)
        #expect(size.floats == 100 && size.parts == groups - 1)
      }
      #expect(GradientSums.groups(samples: 3, units: 1) == 3)
      #expect(GradientSums.groups(samples: 0, units: 1) == 1)
    }
  }

  /// Every unit of every group comes once, and the groups have all samples.
  @Test(arguments: [1, 2, 3, 8], [1, 2, 7, 40]) func partsCoverTheSums(threads: Int, units: Int) {
    withThreads(threads) {
      let (gradient, bias, samples) = (view([1, 2, 3]), view([4]), 5)
      let sums = GradientSums(
        gradient, bias: bias, outputs: 1, samples: samples, units: units, testArena())
      #expect((0..<sums.groups).flatMap { Array(sums.samples(of: $0)) } == Array(0..<samples))
      #expect(sums.groups == GradientSums.groups(samples: samples, units: units))
      let visits = FlatBuffer(count: sums.groups * units).all
      sums.forEachPart { _, group, part in
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
