import Glibc
import Testing

import Distributed

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct MessageChannelMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  @Test func aMessageIsDeliveredOnlyWhenItIsReceived() throws {
    let channel = try #require(try communicator.messageChannel())
    let last = communicator.size - 1
    if communicator.rank == 0 {
      #expect(try channel.isDelivered(to: last))
      try channel.send([1, 2, 3], to: last)
      usleep(20_000)
      #expect(try !channel.isDelivered(to: last))
    }
    try communicator.barrier()
    if communicator.rank == last {
      var message = try channel.receive()
      while message == nil { message = try channel.receive() }
      #expect(message?.words == [1, 2, 3])
      #expect(message?.sender == 0)
    }
    try communicator.barrier()
    if communicator.rank == 0 {
      while try !channel.isDelivered(to: last) {}
    }
    #expect(try channel.receive() == nil)
  }
}
