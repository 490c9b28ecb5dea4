import Testing

@testable import Distributed

@Suite struct ActivityTests {
  @Test func readsAsWords() {
    #expect("\(Activity(.starting))" == "starting")
    #expect("\(Activity(.reducing, iteration: 118))" == "all-reduce of iteration 118")
    #expect("\(Activity(.validating, iteration: 0))" == "validation after iteration 0")
  }

  @Test func everyOperationHasItsOwnName() {
    let names = Activity.Operation.allCases.map { Activity($0).description }
    #expect(Set(names).count == names.count)
  }

  @Test(arguments: Activity.Operation.allCases, [nil, 0, 118])
  func survivesTheWayToAnotherRank(operation: Activity.Operation, iteration: Int?) {
    let activity = Activity(operation, iteration: iteration, progress: 1 << 40)
    #expect(Activity(words: activity.words) == activity)
  }

  @Test func theRecordTellsRepetitionFromStandstill() {
    let record = ActivityRecord()
    #expect(record.current.operation == .starting)
    record.enter(.reducing, iteration: 3)
    let first = record.current
    #expect(record.current == first)
    record.enter(.reducing, iteration: 3)
    let second = record.current
    #expect(second != first)
    record.touch()
    #expect(record.current != second)
    #expect(record.current.description == first.description)
  }

  @Test func waitingForRanksEndsWithWhatWasBefore() {
    let record = ActivityRecord()
    record.enter(.openingData, iteration: 3)
    let before = record.current
    record.whileWaitingForRanks {
      #expect(record.current.isWaiting && record.current.iteration == 3)
    }
    #expect(record.current != before && record.current.description == before.description)
    // An all-reduce is waiting already.
    record.enter(.reducing, iteration: 4)
    let reducing = record.current
    record.whileWaitingForRanks { #expect(record.current == reducing) }
    #expect(record.current == reducing)
  }
}
