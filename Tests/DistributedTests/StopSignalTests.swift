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
    // One iteration of minutes; what comes before takes less than two seconds of processor time, 200 ticks.
    // Signals of a kind that come at once count as one.
    let run = try ProgramRun(
      [
        "bash", "-c",
        """
        directory=$(mktemp -d)
        env --default-signal=HUP,INT '\(try ProgramRun.path(ofProduct: "sltt-dist"))' train \
          --set model.family=nf-resnet --set model.blocks=[1] --set method.timesteps=1000 \
          --set training.global_batch=4500 --set training.micro_batch=50 --threads 1 \
          --output "$directory/run" >/dev/null &
        used=0
        until [[ -e $directory/run/config.yaml ]] && ((used > 200)); do
          sleep 0.02
          read -r -a fields <"/proc/$!/stat"
          used=${fields[13]}
        done
        while kill -\(number) $!; do sleep 0.05; done 2>/dev/null
        wait $!
        status=$?
        rm -r "$directory"
        exit $status
        """,
      ], timeLimit: 60)
    #expect(run.status == 128 + number)
  }
}
