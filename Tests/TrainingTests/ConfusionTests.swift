import Distributed
import Testing

@testable import Training

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct ConfusionMPITests {
  /// Of more pairs than are added up at a time.
  @Test func ranksCountTogether() throws {
    let communicator = try Launch.current.communicator()
    let (classes, outputs) = (700, 800)
    func add(_ rank: Int, to confusion: inout Confusion) {
      confusion.add(label: 0, predicted: 0)
      confusion.add(label: rank, predicted: 7)
      confusion.add(label: 699, predicted: 799 - rank, count: 2)
    }
    var (own, expected) = (
      Confusion(classes: classes, outputs: outputs), Confusion(classes: classes, outputs: outputs)
    )
    add(communicator.rank, to: &own)
    for rank in 0..<communicator.size { add(rank, to: &expected) }
    #expect(try own.together(communicator) == expected)
    #expect(expected[0, 0] == communicator.size && expected.predicted[7] == communicator.size)
  }
}
