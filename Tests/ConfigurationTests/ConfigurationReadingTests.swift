import Foundation
import SpikingNetworks
import TestSupport
import Testing

@testable import Configuration

struct ConfigurationReadingTests {
  @Test func readsEveryKindOfValue() throws {
    let configuration = try read(
      """
      # comment
      model: {family: nf-resnet, blocks: [1, 2], width: 8}
      neuron:
        tau: .inf
        learnable_tau: false
      method:
        name: "sltt-k"
        timesteps: 6
        k: 2
      loss:
        mse_target: one-hot
      optimizer:
        learning_rate: 1e-3
      training:
        seed: 18446744073709551615
        max_iterations: 7
      schedule:
      data:
        path: '/data/a b'
        workers: null
      """)
    #expect(configuration.model.family == .nfResNet && configuration.model.blocks == [1, 2])
    #expect(configuration.neuron.tau == .infinity && configuration.neuron.kind == .lif)
    #expect(configuration.method.name == .slttK && configuration.method.timesteps == 6)
    #expect(configuration.method.k == 2)
    #expect(configuration.loss.mseTarget == .oneHot)
    #expect(configuration.optimizer.learningRate == 0.001)
    #expect(configuration.training.seed == .max && configuration.training.maxIterations == 7)
    #expect(configuration.data.path == "/data/a b" && configuration.data.workers == nil)
    #expect(configuration.optimizer.momentum == 0.9)
  }

  @Test func anEmptyFileMeansTheDefaults() throws {
    #expect(try read("") == Configuration())
    #expect(try read("# nothing\n---\n") == Configuration())
  }

  @Test func overridesWinOverTheFileAndTheLastOverEarlierOnes() throws {
    let yaml = """
      model: {family: vgg, blocks: [1, 1]}
      method: {name: sltt-k, timesteps: 6, k: 4}
      data: {path: photos}
      """
    let configuration = try read(
      yaml,
      overrides: [
        "training.epochs=3", "training.epochs=4", "model.architecture=resnet18",
        "method.name=bptt", "neuron.tau=inf", "data.train=a=b",
      ])
    #expect(configuration.training.epochs == 4)
    #expect(configuration.model.architecture == .resNet18 && configuration.model.family == nil)
    #expect(configuration.method.name == .bptt && configuration.method.timesteps == 6)
    #expect(configuration.method.k == nil)
    #expect(configuration.data.path == "photos" && configuration.data.train == "a=b")
    #expect(configuration.neuron.tau == .infinity)
  }

  @Test(arguments: [
    (
      "optimizer:\n  name: sgd\n  learning_rat: 0.1",
      "run.yaml:3: unknown key 'optimizer.learning_rat'; did you mean 'optimizer.learning_rate'?"
    ),
    (
      "training:\n  learning_rate: 0.1",
      "run.yaml:2: unknown key 'training.learning_rate'; did you mean 'optimizer.learning_rate'?"
    ),
    (
      "\noptimiser:\n  name: sgd", "run.yaml:2: unknown key 'optimiser'; did you mean 'optimizer'?"
    ),
    ("epochs: 3", "run.yaml:1: unknown key 'epochs'; did you mean 'training.epochs'?"),
    (
      "method:\n  name: slt\n",
      "run.yaml:2: method.name is 'slt'; did you mean 'sltt'?"
        + " Allowed are sltt, sltt-k, bptt, ottt, rate"
    ),
    (
      "model:\n  width: wide",
      "run.yaml:2: model.width is 'wide',"
        + " but must be an integer from 1 to 65536"
    ),
    (
      "model:\n  width: '8'",
      "run.yaml:2: model.width is '8', but must be an integer from 1 to 65536"
    ),
    (
      "model:\n  width: 0", "run.yaml:2: model.width is '0', but must be an integer from 1 to 65536"
    ),
    (
      "model:\n  width: 1.5",
      "run.yaml:2: model.width is '1.5', but must be an integer from 1 to 65536"
    ),
    (
      "model:\n  width: [8]",
      "run.yaml:2: model.width is [8], but must be an integer from 1 to 65536"
    ),
    (
      "model:\n  width: null", "run.yaml:2: model.width is empty: set it, for instance to 64"
    ),
    (
      "model:\n  blocks: [2, x]",
      "run.yaml:2: model.blocks is [2, x], but must be"
        + " a list of integers such as [2, 2, 2, 2], 1 to 16 of them, each from 1 to 1000"
    ),
    (
      "model:\n  blocks: [2, 0]",
      "run.yaml:2: model.blocks is [2, 0], but must be"
        + " a list of integers such as [2, 2, 2, 2], 1 to 16 of them, each from 1 to 1000"
    ),
    (
      "optimizer:\n  learning_rate: -1",
      "run.yaml:2: optimizer.learning_rate is '-1', but must be a number from 1e-30 to 1e+30"
    ),
    (
      "optimizer:\n  weight_decay: nan",
      "run.yaml:2: optimizer.weight_decay is 'nan', but must be a number from 0 to 1e+30"
    ),
    (
      "optimizer:\n  nesterov: yes",
      "run.yaml:2: optimizer.nesterov is 'yes', but must be true or false"
    ),
    (
      "loss:\n  mse_weight: 1.1",
      "run.yaml:2: loss.mse_weight is '1.1', but must be a number from 0 to 1"
    ),
    (
      "neuron:\n  tau: 0.5",
      "run.yaml:2: neuron.tau is '0.5', but must be a number from 1 to 1e+30, or inf"
    ),
    (
      "training:\n  seed: -1",
      "run.yaml:2: training.seed is '-1', but must be an integer from 0 to 18446744073709551615"
    ),
    ("data:\n  path: ''", "run.yaml:2: data.path is '', but must be text, not empty"),
    ("model: resnet18", "run.yaml:1: model is a value, but must be a mapping of keys"),
    ("- 1", "run.yaml:1: the configuration is a value, but must be a mapping of keys"),
    (
      "model:\n  width: 8\n  width: 9",
      "run.yaml:2: 'width' is given more than once: keep one of them"
    ),
  ])
  func explainsWhatIsWrong(yaml: String, expected: String) {
    #expect(message { _ = try read(yaml) } == expected)
  }

  @Test(arguments: ["", " #1set", " &amp", " !bang", " # none"])
  func aKeyWithoutValueIsAnError(value: String) {
    for key in ["data.path", "data.train", "data.workers", "model.width", "model.blocks"] {
      let name = key.split(separator: ".")
      #expect(
        message { _ = try read("\(name[0]):\n  \(name[1]):\(value)") }
          == "run.yaml:2: \(key) has no value: write one, in quotes if it begins with #, & or !, or leave"
          + " the key out")
    }
  }

  @Test func namesTheLineOfInvalidYAML() {
    #expect(
      message { _ = try read("model:\n  width: [8\n") }.hasPrefix("run.yaml:3: invalid YAML:"))
    #expect(message { _ = try read("a\n\tb: 1:\n") }.hasPrefix("run.yaml:2: invalid YAML:"))
    #expect(message { _ = try read("model:\n---\nloss:\n") }.contains("invalid YAML"))
  }

  @Test(arguments: [
    ("model.widht=8", "unknown key 'model.widht'; did you mean 'model.width'?"),
    ("momentun=0", "unknown key 'momentun'; did you mean 'optimizer.momentum'?"),
    ("model=resnet18", "'model' is a section: set its keys one by one"),
    ("model.width", "expected KEY=VALUE, such as training.epochs=3, but there is no ="),
    ("", "expected KEY=VALUE, such as training.epochs=3, but there is no ="),
    ("=3", "expected KEY=VALUE, such as training.epochs=3, but there is no key before the ="),
    ("=\u{301}", "expected KEY=VALUE, such as training.epochs=3, but there is no key before the ="),
    (
      "model.width=",
      "model.width has no value: write one after the =, or leave the option out"
    ),
    (
      "data.path=",
      "data.path has no value: write one after the =, or leave the option out"
    ),
    (
      "training.epochs=null", "training.epochs is null, but must be an integer from 1 to 2147483647"
    ),
    (
      "data.augmentation=shft",
      "data.augmentation is 'shft'; did you mean 'shift'? Allowed are none, cifar, imagenet, shift,"
        + " auto_augment"
    ),
  ])
  func explainsWhatIsWrongInOverrides(argument: String, expected: String) {
    #expect(message { _ = try read("", overrides: [argument]) } == "--set \(argument): \(expected)")
  }

  /// YAML would take these for comments, anchors, tags, lists, null, or for nothing valid at all.
  @Test(arguments: [
    "#1set", "&amp", "!bang", "tr #2", "a: b", "[1", "{}", "*", "@", "%", "|", "- x", "null",
    "~user",
    " ",
    "\"x\"", "'x'", "a\nb\n", "\t", "=", "\u{301}=\u{2028}", "\u{85}\u{7f}\u{feff}😀\r\n",
  ])
  func textIsTakenAsItIs(_ text: String) throws {
    for key in ["data.path", "data.train"] {
      let configuration = try read("", overrides: ["\(key)=\(text)"])
      let value = key == "data.path" ? configuration.data.path! : configuration.data.train
      #expect(Array(value.utf8) == Array(text.utf8))
      // Other ranks and a later --config read what was written.
      let copy = try read(configuration.yaml)
      #expect(copy == configuration && copy.yaml == configuration.yaml)
    }
  }

  @Test func nullLeavesOutWhatMayBeLeftOut() throws {
    for null in ["null", "~", "Null", "NULL"] {
      let configuration = try read(
        "data: {path: photos, workers: 3}\nmodel: {classes: 3}",
        overrides: ["data.workers=\(null)", "model.classes=\(null)"])
      #expect(configuration.data.workers == nil && configuration.model.classes == nil)
      #expect(try read("data: {path: \(null)}").data.path == nil)
    }
  }

  /// A key of earlier versions is read, never written.
  @Test func learnableTauIsKindPLIF() throws {
    let learnt = try read("neuron: {learnable_tau: true, tau: 2}")
    #expect(learnt.neuron.kind == .plif)
    #expect(learnt.yaml.contains("\n  kind: plif ") && !learnt.yaml.contains("learnable_tau"))
    func kind(_ yaml: String, _ overrides: [String] = []) throws -> NeuronSpecification.Kind {
      try read(yaml, overrides: overrides).neuron.kind
    }
    #expect(try kind("", ["neuron.learnable_tau=true"]) == .plif)
    #expect(try kind("neuron: {learnable_tau: false}") == .lif)
    #expect(try kind("neuron: {kind: plif}", ["neuron.learnable_tau=false"]) == .lif)
    #expect(try kind("neuron: {kind: if, learnable_tau: false}") == .if)
  }

  @Test func saysWhichFileCannotBeRead() throws {
    let path = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString).yaml"
    #expect(
      message { _ = try Configuration(file: path) }
        == "\(path): cannot read the configuration: no such file")
    try Data([0xFF, 0xFE, 0xFF]).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(message { _ = try Configuration(file: path) }.contains("not UTF-8"))
    // As a full disk leaves it.
    for nothing in ["", " \n"] {
      try nothing.write(toFile: path, atomically: false, encoding: .utf8)
      #expect(message { _ = try Configuration(file: path) }.hasSuffix(": it is empty"))
    }
    #expect(
      message { _ = try Configuration(file: ".") }
        == ".: cannot read the configuration: it is a directory; name a YAML file, such as those in"
        + " configs/")
    #expect(
      message { _ = try Configuration(file: "/dev/zero") }
        == "/dev/zero: cannot read the configuration: it is not a regular file")
  }

  /// As in a shell, but also where no shell does it.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["HOME"] != nil, "HOME is not set"))
  func aPathMayBeginInTheHomeDirectory() throws {
    let home = try #require(ProcessInfo.processInfo.environment["HOME"])
    func path(_ text: String) throws -> String? {
      try Configuration(file: nil, overrides: ["data.path=" + text]).data.path
    }
    #expect(try path("~/images") == home + "/images")
    #expect(try path("~") == home)
    for other in ["~images", "./~/images", "a/~", "/~"] { #expect(try path(other) == other) }
  }
}
