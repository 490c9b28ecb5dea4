import TestSupport
import Testing

@testable import Training

/// What needs no other rank; sums are in GradientExchangeMPITests.
struct GradientExchangeTests {
  @Test(arguments: [[], ["optimizer.shard=true"]]) func overlapNeedsThreadsInMPI(
    _ overrides: [String]
  ) throws {
    func summary(supportsThreads: Bool) throws -> String {
      try SmallJob(
        ["model.blocks=[1,1]", "model.width=4", "distributed.overlap=true"] + overrides,
        TwoEqualRanks(supportsThreads: supportsThreads)
      ).trainer.replica.exchange.summary
    }
    #expect(try summary(supportsThreads: true).hasSuffix(", during the last backward pass"))
    #expect(
      try summary(supportsThreads: false).hasSuffix(
        ", after the backward pass: overlap needs an MPI with MPI_THREAD_MULTIPLE"))
  }
}
