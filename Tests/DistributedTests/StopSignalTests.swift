import Glibc
import TestSupport
import Testing

@testable import Distributed

/// The only suite that may send signals to this process.
@Suite(.serialized) struct StopSignalTests {
  @Test func inARunASignalOnlySetsAMark() {
    StopSignal.install()
    StopSignal.beginDeferring()
    defer {
      StopSignal.install()
      StopSignal.uninstall()
    }
    #expect(StopSignal.name == nil)
    // Held, it waits; threads of Dispatch block all signals anyway.
    StopSignal.hold()
    raise(SIGUSR1)
    #expect(StopSignal.name == nil)
    StopSignal.release()
    #expect(StopSignal.name == "SIGUSR1")
  }

  @Test(arguments: [SIGUSR1, SIGTERM, SIGINT, SIGHUP]) func aSecondOneEndsTheProcess(
    number: Int32
  ) throws {
    let run = try ProgramRun(
      [
        "bash", "-c",
        """
        env --default-signal=HUP '\(try ProgramRun.path(ofProduct: "sltt-dist"))' train --set training.epochs=100000 \
          --threads 1 --output "$(mktemp -d)/run" > /dev/null &
        sleep 1; kill -\(number) $!; kill -\(number) $!; wait $!
        """,
      ], timeLimit: 20)
    #expect(run.status == 128 + number || run.status == 75)
  }
}
