import Testing

@testable import Training

struct DataCheckTests {
  @Test func theMessageShowsBothListings() {
    func listing(_ rank: Int, _ samples: Int) -> DifferentData.Listing {
      .init(rank: rank, hostName: "h\(rank)", location: "/d:train", samples: samples, classes: 2)
    }
    #expect(
      "\(DifferentData(expected: listing(0, 5), found: listing(3, 1)))"
        == "the ranks see different data: rank 0 on h0 found 5 samples of 2 classes in /d:train,"
        + " rank 3 on h3 found 1 sample of 2 classes in /d:train. Give every host the same copy of"
        + " the data set, complete and of the same version, or one that all share.")
    #expect(
      "\(DifferentData(expected: listing(0, 5), found: listing(1, 5)))".contains(
        "in /d:train, but not the same ones. Give"))
  }
}
