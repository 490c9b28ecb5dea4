import TestSupport
import Testing

/// What people get to read when something in the configuration or on the command line is wrong.
struct MistakeTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace()
  }

  @Test(arguments: [
    (
      "training:\n  epoch: 3",
      "wrong.yaml:2: unknown key 'training.epoch'; did you mean 'training.epochs'?"
    ),
    ("trainig:\n  epochs: 3", "wrong.yaml:1: unknown key 'trainig'; did you mean 'training'?"),
    (
      "model:\n\n  width: wide",
      "wrong.yaml:3: model.width is 'wide', but must be an integer from 1 to 65536"
    ),
    (
      "model:\n  architecture: resnet19",
      "wrong.yaml:2: model.architecture is 'resnet19'; did you mean 'resnet18'? Allowed are resnet18,"
        + " resnet34, nf-resnet34, nf-resnet50, nf-resnet101, vgg11, vgg13, vgg16, vgg19,"
        + " sew-resnet18, sew-resnet34, sew-resnet50"
    ),
    (
      "method: {name: sltt-k, timesteps: 4,\n  k: 5}",
      "wrong.yaml:2: method.k = 5 exceeds method.timesteps = 4: lower k or raise timesteps"
    ),
    (
      "data:\n  image_size: 12",
      "wrong.yaml:2: data.image_size 12 is too small for this network: layer 'pool' has a window of 4x4,"
        + " which does not fit into 3x3x64; it needs at least 13"
    ),
    (
      "model:\n  architecture: nf-resnet34\n  width: 1",
      "wrong.yaml:3: model.width 1 is too small for this network: layer 'layer2.0.downsample' reads"
        + " 7x7x1 with one weight for each of its channels, which has no variance to standardise by"
    ),
    (
      """
      model:
        layers:
          - convolution: {channels: 8, kernel: 3}
          - repeat:
              times: 5
              layers:
                - neuron
                - average_pool: {name: half, kernel: 2}
          - linear
      """,
      "wrong.yaml:8: model.layers make no network: layer '5.half' has a window of 2x2, which does not"
        + " fit into 1x1x8; it needs at least 32 as data.image_size"
    ),
    (
      """
      model:
        layers:
          - convolution: {channels: 8, kernel: 3}
          - neuron
          - residual:
              branch:
                - convolution: {channels: 8, kernel: 3}
                - neuron
                - convolution: {channels: 16, kernel: 3, stride: 2}
          - linear
      """,
      "wrong.yaml:5: model.layers make no network: a residual has a branch that makes 14x14x16 of"
        + " 28x28x8, so that the two cannot be added: give it a shortcut, a convolution with kernel 1,"
        + " stride 2 and 16 channels"
    ),
    (
      "model:\n  classes: 9",
      "wrong.yaml:2: model.classes = 9, but the data have 10 classes: set it to that or leave it out"
    ),
  ])
  func inAFileNameTheKeyAndTheLine(yaml: String, expected: String) throws {
    try workspace.directory.write(yaml, to: "wrong.yaml")
    let run = try workspace.run("train", "--config", "wrong.yaml")
    #expect(run.status == 1 && run.output == "")
    #expect(run.messages == [expected])
    #expect(run.errors.split(separator: "\n").count == 1)
    #expect(try workspace.directory.contents == ["wrong.yaml"])
  }

  @Test(arguments: ["train", "inspect"]) func areFoundByEverySubcommand(command: String) throws {
    try workspace.directory.write("model:\n\twidth: [8", to: "wrong.yaml")
    let run = try workspace.run("\(command)", "--config", "wrong.yaml", usesOneThread: false)
    #expect(run.status == 1 && run.messages.count == 1)
    #expect(run.messages.first?.hasPrefix("wrong.yaml:2: invalid YAML: ") == true)
    let missing = try workspace.run(command, "--config", "none.yaml", usesOneThread: false)
    #expect(
      missing.messages == ["none.yaml: cannot read the configuration: no such file"])
  }

  @Test func onTheCommandLineNameTheArgument() throws {
    let run = try workspace.run("train", "--set", "optimizer.lr=1", "--set", "training.epochs=1")
    #expect(run.status == 1 && run.messages.count == 1)
    #expect(
      run.messages.first?.hasPrefix("--set optimizer.lr=1: unknown key 'optimizer.lr'") == true)
    let size = try workspace.run("train", "--set", "data.image_size=5")
    #expect(size.messages.first?.hasPrefix("--set data.image_size=5: data.image_size 5 is") == true)
  }

  @Test(arguments: [
    (["train", "--threads", "0"], "--threads 0: must be from 1 to 1024"),
    (["train", "--threads", "-1"], "--threads -1: must be from 1 to 1024"),
    (["bench", "step", "--threads", "1025"], "'1025' is not a number of threads from 1 to 1024"),
    (
      ["train", "--threads", "99999999999999999999"],
      "The value '99999999999999999999' is invalid for '--threads <threads>'"
    ),
    (["train", "--hang-timeout", "-1"], "--hang-timeout -1.0: must be 0, or from 1.0 to"),
    (["train", "--hang-timeout", "1e300"], "--hang-timeout 1e+300: must be 0, or from 1.0 to"),
    (["bench", "data", "--seconds", "nan"], "--seconds nan: must be from 0.001 to 86400.0"),
    (
      ["bench", "memory", "--timesteps", "10001"], "'10001' is not a number of time steps from 1 to"
    ),
    (
      ["evaluate", "--checkpoint", "c", "--json", "x", "--confusion", "x"],
      "--json and --confusion name the same file"
    ),
    (
      ["evaluate", "--checkpoint", "c", "--mac-energy", "3"],
      "--mac-energy is of no use without --energy"
    ),
    (
      ["inspect", "--ac-energy", "3"],
      "--ac-energy is of no use without --firing-rate or --checkpoint"
    ),
    (["report", "r", "q", "./r/"], "./r/ is given twice"),
    (
      ["inspect", "--checkpoint", "c", "--data", "d"], "--data is for a network that is configured"
    ),
    (
      ["compare", "--methods", "sltt", "--vary", "method.k=1,2", "--output", "o"],
      "--vary method.k is for sltt-k, which is not among --methods"
    ),
    (
      ["compare", "--methods", "sltt", "--set", "training.seed=5", "--output", "o"],
      "--set training.seed: give it as --seeds"
    ),
    (["bench", "step", "--threads", "2,2"], "2 is in the list twice: leave one out"),
    (["bench", "scaling", "--ranks", "1", "--trace", "t"], "--trace: one rank exchanges nothing"),
    (["bench", "scaling", "--latency", "inf"], "--latency inf: must be from 0.0 to"),
    (["bench", "allreduce", "--largest", "-5"], "--largest -5: must be from 1 to 4096"),
    (
      ["shard", "--source", "a", "--output", "b", "--resize", "16385"],
      "--resize 16385: must be from 1 to 16384"
    ),
    (
      [
        "gradients", "--weights", "w", "--batch", "b", "--output", "o", "--trained-timesteps",
        "1,x",
      ],
      "'x' is not a number of time steps from 0 to 9999"
    ),
    (["train", "--backend", "cudnn"], "Please provide one of 'onednn' and 'openblas'"),
    (["train", "--sett", "a=b"], "Unknown option '--sett'. Did you mean '--set'?"),
    (["trian"], "Unexpected argument 'trian'"),
    (["train", "config.yaml"], "Unexpected argument 'config.yaml'"),
    (["evaluate"], "Missing expected argument '--checkpoint <checkpoint>'"),
    (["gradients", "--weights", "w"], "--batch is missing"),
  ])
  func inOptionsAreRefused(arguments: [String], expected: String) throws {
    let run = try workspace.run(arguments, usesOneThread: false)
    #expect(run.status == 64 && run.output == "")
    #expect(run.errors.contains(expected), "\(run.errors)")
    #expect(try workspace.directory.contents == [])
  }

  @Test func withTheDataAreExplained() throws {
    try workspace.writeImages(to: "images")
    let format = try workspace.run(
      "train", "--set", "data.path=images", "--set", "data.format=archive")
    #expect(
      format.messages == [
        "--set data.format=archive: data.format is archive, but images looks like image-folder:"
          + " leave it at auto"
      ])
    let split = try workspace.run(
      "train", "--set", "data.path=images", "--set", "data.validation=test")
    #expect(
      split.messages.first?.hasPrefix("images: has no split 'test', only: train, val.") == true)
    try workspace.directory.makeDirectory("images/val/3")
    let classes = try workspace.run("train", "--set", "data.path=images")
    #expect(classes.status == 1)
    #expect(classes.messages.first?.hasPrefix("images/val: the class '3' has no") == true)
  }
}
