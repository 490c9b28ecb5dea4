import Foundation
import TestSupport
import Testing

@testable import Training

/// Signals to the program, in every phase of its work.
@Suite(.serialized) struct StopTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace.withImages()
    // Two files of two events each.
    for name in ["Train/0/a.bin", "Train/1/a.bin", "Test/0/a.bin", "Test/1/a.bin"] {
      try workspace.directory.write([1, 2, 0, 0, 9, 3, 4, 0x80, 0, 10], to: "events/" + name)
    }
    try workspace.directory.write(
      """
      model: {family: nf-resnet, blocks: [1, 1], width: 8, input_channels: 1}
      method: {timesteps: 60}
      training: {global_batch: 10, max_iterations: 1}
      data: {path: images, image_size: 16}

      """, to: "validating.yaml")
  }

  /// A split that takes minutes, so that a validation does not end before it is stopped.
  private func writeLongSplit(copies: Int = 500) throws {
    for name in ["0", "1", "2"] {
      let (source, copy) = (workspace.file("images/val/\(name)"), "images/long/\(name)")
      try workspace.directory.makeDirectory(copy)
      for image in try FileManager.default.contentsOfDirectory(atPath: source) {
        for number in 0..<copies {
          try FileManager.default.linkItem(
            atPath: "\(source)/\(image)", toPath: workspace.file("\(copy)/\(number)-\(image)"))
        }
      }
    }
  }

  /// Runs a script in which `start ARGUMENT…` is the program, alone or on ranks, in the background, and
  /// `stop SIGNAL` sends it a signal and ends with its status.
  ///
  /// Another process makes the frames of `events` and takes its time; `wait_for_frames` returns when the
  /// program waits for it.
  private func run(_ script: String, ranks: Int? = nil) throws -> ProgramRun {
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    let launcher =
      ranks.map { "\(ProgramRun.mpirun.joined(separator: " ")) -n \($0)" }
      ?? "env --default-signal=INT,HUP"
    return try ProgramRun(
      [
        "bash", "-c",
        """
        mkdir events/.sltt-dist
        exec 4>events/.sltt-dist/nmnist-train-frames_number_2_split_by_number-2.frames.lock
        flock 4
        start() { exec \(launcher) '\(program)' "$@" 4>&-; }
        stop() { kill "-$1" "$!"; wait "$!"; exit; }
        # MPICH has a process between mpirun and the ranks.
        ranks() {
          local process
          for process in $(pgrep -P "$!,$(pgrep -d , -P $!)"); do
            [[ $(readlink /proc/$process/exe) != */sltt-dist ]] || echo $process
          done
        }
        waiting() {
          local process processes=$!
          \(ranks.map { "processes=$(ranks); (($(wc -w <<<$processes) == \($0))) || return" } ?? "")
          for process in $processes; do
            [[ $(readlink /proc/$process/exe) == */sltt-dist ]] || return
            ls -l /proc/$process/fd 2>/dev/null | grep -q 'frames\\.lock' || return
          done
        }
        name() { echo "name: $(</proc/$!/comm)"; }
        wait_for_frames() { until waiting; do sleep 0.02; done; }
        \(script)
        """,
      ], in: workspace.directory.path,
      environment: ProgramRun.mpiEnvironment)
  }

  private let frames =
    "--set data.path=events --set data.image_size=28 --set method.timesteps=2"

  // MPICH's mpirun sometimes loses the statuses of ranks that it handed a signal to.
  private static let ranks: [Int?] = ProgramRun.hasOpenMPI ? [nil, 2, 3] : [nil]
  private static let starts =
    ["TERM", "INT", "HUP"].map { (nil, $0) } + ranks.map { ($0, "USR1") }

  @Test(arguments: starts)
  func aStartEndsAtOnce(ranks: Int?, signal: String) throws {
    let run = try run(
      """
      start train \(frames) --output run &
      wait_for_frames
      stop \(signal)
      """, ranks: ranks)
    #expect(run.status == 75)
    let saying = "stopped by a signal before training began; the same command starts again"
    #expect(run.errors.components(separatedBy: saying).count == 2)
    #expect(!FileManager.default.fileExists(atPath: workspace.file("run")))
  }

  /// For pkill, top and the like.
  @Test func theProcessIsCalledAsTheProgram() throws {
    let run = try run(
      """
      start train \(frames) --output run &
      wait_for_frames
      name
      stop TERM
      """)
    #expect(run.value("name:") == "sltt-dist")
  }

  /// The state after the epoch is there, and only the validation is repeated.
  @Test(arguments: ranks.prefix(2)) func aStoppedValidationIsRepeated(ranks: Int?) throws {
    func train(_ arguments: String...) throws -> ProgramRun {
      try workspace.run(["train", "--config", "validating.yaml"] + arguments, ranks: ranks)
    }
    #expect(try train("--output", "whole").status == 0)
    try writeLongSplit()
    let stopped = try run(
      """
      start train --config validating.yaml --threads 1 --set data.validation=long --output parts &
      until [[ -e parts/checkpoints/iteration-000000001 ]]; do sleep 0.02; done
      stop USR1
      """, ranks: ranks)
    #expect(
      stopped.status == 75 && stopped.output.contains("it has a checkpoint after 1 iteration;"))
    let interrupted = try Checkpoint(contentsOf: workspace.file("parts/checkpoints/latest")).state
    #expect(!interrupted.position.isValidated)

    let rest = try train("--resume", "parts", "--set", "data.validation=val")
    #expect(rest.status == 0 && rest.output.contains("resuming after 1 iteration"))
    let position = try Checkpoint(contentsOf: workspace.file("parts/checkpoints/best")).verified()
      .state.position
    let expected = try Checkpoint(contentsOf: workspace.file("whole/checkpoints/best")).state
      .position
    #expect(position.isValidated && position.validationAccuracy == expected.validationAccuracy)
    for name in ["model", "optimizer"] {
      let path = "checkpoints/latest/\(name).safetensors"
      #expect(try workspace.tensors("whole/\(path)") == workspace.tensors("parts/\(path)"))
    }
    let records = try workspace.text("parts/metrics.jsonl").split(separator: "\n")
    #expect(records.count { $0.contains(#""kind": "epoch""#) } == 1)
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: workspace.file("parts/checkpoints"))
    #expect(checkpoints.sorted() == ["best", "iteration-000000001", "latest"])
  }

  @Test func theEndOfATerminalIsNoneUnderNohup() throws {
    let run = try run(
      """
      nohup '\(try ProgramRun.path(ofProduct: "sltt-dist"))' train \(frames) --output run 4>&- &
      wait_for_frames
      kill -HUP $!
      sleep 0.2
      kill -0 $! && echo goes on
      stop TERM
      """)
    #expect(run.status == 75 && run.output.contains("goes on"))
    #expect(run.errors.contains("stopped by a signal before training began"))
  }

  /// What has nothing to save.
  @Test func othersJustEnd() throws {
    let run = try run(
      """
      start bench data \(frames) &
      wait_for_frames
      stop TERM
      """)
    #expect(run.status == 128 + SIGTERM)
  }
}
