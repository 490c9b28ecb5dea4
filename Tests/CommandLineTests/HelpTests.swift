import Configuration
import Testing
import Training

struct HelpTests {
  @Test(arguments: [
    (
      [],
      [
        "train", "evaluate", "predict", "inspect", "gradients", "doctor",
        "mpirun -n 8 sltt-dist train",
      ]
    ),
    (["train"], ["--config", "--set", "--output", "--backend", "--threads", "runs/DATE-TIME"]),
    (
      ["evaluate"],
      [
        "--checkpoint", "--config", "--set", "--backend", "--threads", "--classes", "--confusion",
        "--json",
      ]
    ),
    (["predict"], ["--checkpoint", "--top", "--format", "--output", "<inputs>", "probability_2"]),
    (["inspect"], ["--config", "--set"]),
    (["doctor"], ["--threads", "--output", "FAILED", "mpirun -n 8 sltt-dist doctor"]),
    (
      ["gradients"],
      ["--config", "--weights", "--batch", "--trained-timesteps", "--output", "param.NAME"]
    ),
  ])
  func namesWhatThereIs(command: [String], expected: [String]) throws {
    let run = try Workspace().run(command + ["--help"], usesOneThread: false)
    #expect(run.status == 0 && run.errors == "")
    for text in expected {
      #expect(run.output.contains(text), "\(text)")
    }
  }

  @Test func trainDocumentsEveryKey() throws {
    let output = try Workspace().run("train", "--help", usesOneThread: false).output
    for key in Configuration.keys {
      #expect(output.contains(key.name + ": "), "\(key.name)")
    }
  }

  @Test func aloneItShowsTheHelp() throws {
    let run = try Workspace().run(usesOneThread: false)
    #expect(run.status == 0 && run.output.contains("SUBCOMMANDS:"))
  }
}
