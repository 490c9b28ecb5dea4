import Datasets
import Testing

@testable import Configuration

struct AugmentationConfigurationTests {
  private static let recipe = """
    data:
      image_size: 32
      normalization: cifar10
      augmentation:
        - random_crop: {padding: 4}
        - random_horizontal_flip
        - color_jitter: {brightness: 0.4, hue: 0.1}
        - auto_augment: {policy: cifar10, fill: 7}
        - rand_augment: {num_ops: 1, magnitude: 5}
        - trivial_augment:
        - random_erasing: {p: 0.25, scale: [0.02, 0.2], value: random}
        - cutout:
            size: 8
        - gray_cutout: {}
      mixup: 0.2
      cutmix: 1
      evaluation: [{resize: {size: 40}}, center_crop]
    """

  @Test func mixingAndSmoothingAreConfigured() throws {
    let configuration = try read(Self.recipe, overrides: ["loss.label_smoothing=0.1"])
    #expect(configuration.data.mixing == BatchMixing(mixupAlpha: 0.2, cutmixAlpha: 1))
    #expect(configuration.loss.labelSmoothing == 0.1)
    #expect(throws: ConfigurationError.self) { try read("", overrides: ["loss.label_smoothing=1"]) }
    #expect(throws: ConfigurationError.self) { try read("", overrides: ["data.mixup=-1"]) }
  }

  @Test func stepsTakeTheirParametersAndDefaults() throws {
    let data = try read(Self.recipe).data
    let steps = data.steps(isTraining: true)
    #expect(
      steps.map { type(of: $0).name } == [
        "random_crop", "random_horizontal_flip", "color_jitter", "auto_augment", "rand_augment",
        "trivial_augment", "random_erasing", "cutout", "gray_cutout",
      ])
    #expect((steps[0] as? RandomCrop)?.padding == 4)
    #expect((steps[1] as? RandomHorizontalFlip)?.p == 0.5)
    let jitter = try #require(steps[2] as? ColorJitter)
    #expect((jitter.brightness, jitter.contrast) == (0.4, 0) && jitter.hue == 0.1)
    let auto = try #require(steps[3] as? AutoAugment)
    #expect(auto.policy == .cifar10 && auto.fill == 7)
    let rand = try #require(steps[4] as? RandAugment)
    #expect((rand.operations, rand.magnitude, rand.bins, rand.fill) == (1, 5, 31, 0))
    let erasing = try #require(steps[6] as? RandomErasing)
    #expect(erasing.p == 0.25 && erasing.scale == 0.02...0.2 && erasing.value == .random)
    #expect(erasing.ratio == 0.3...3.3)
    #expect((steps[7] as? Cutout)?.size == 8)
    #expect((steps[8] as? GrayCutout)?.scale == 0.02...0.4)
    let evaluation = data.steps(isTraining: false)
    #expect(evaluation.count == 2 && (evaluation[0] as? Resize)?.size == 40)
  }

  @Test func readsBackToTheSame() throws {
    let configuration = try read(Self.recipe)
    let copy = try read(configuration.yaml)
    #expect(copy == configuration && copy.yaml == configuration.yaml)
    #expect(
      configuration.yaml.contains(
        """

            - random_crop: {padding: 4}
            - random_horizontal_flip: {p: 0.5}

        """))
    #expect(copy != Configuration())
    // Every kind of step with its default parameters.
    for kind in AugmentationStepKind.all {
      let step = try kind.read(nil)
      let augmentation = Augmentation.steps([step])
      var once = Configuration()
      try once.apply(yaml: "data: {augmentation: [\(kind.name)]}", from: "a")
      var twice = Configuration()
      try twice.apply(yaml: once.yaml, from: "b")
      #expect(once == twice && twice.data.augmentation.yaml == augmentation.yaml)
    }
  }

  @Test func overridesTakePresetsAndLists() throws {
    let preset = try read(Self.recipe, overrides: ["data.augmentation=cifar"])
    #expect(preset.data.augmentation.yaml == "cifar")
    let list = try read(
      Self.recipe,
      overrides: ["data.augmentation=[center_crop, {cutout: {size: 4}}]", "data.evaluation=null"]
    ).data
    #expect(list.steps(isTraining: true).count == 2 && list.evaluation == nil)
    let evaluation = try read(Self.recipe, overrides: ["data.evaluation=imagenet"])
    #expect((evaluation.data.steps(isTraining: false)[0] as? Resize)?.size == 37)
    #expect(try read(evaluation.yaml) == evaluation)
  }

  @Test func evaluationFitsTheAugmentation() throws {
    for (augmentation, size) in [
      ("imagenet", 256), ("[random_resized_crop, cutout]", 256), ("auto_augment", 256),
      ("cifar", nil), ("[random_crop]", nil),
    ] {
      let data = try read("data: {image_size: 224, augmentation: \(augmentation)}").data
      #expect((data.steps(isTraining: false)[0] as? Resize)?.size == size)
    }
  }

  @Test(arguments: [
    (
      "[random_crop: {padding: 2}, cutot: {size: 4}]",
      "run.yaml:2: unknown key 'data.augmentation[1].cutot'; did you mean 'cutout'?"
        + " Allowed are resize, center_crop, random_crop, random_resized_crop, random_horizontal_flip,"
        + " color_jitter, auto_augment, rand_augment, trivial_augment, random_erasing, cutout,"
        + " gray_cutout"
    ),
    (
      "\n    - random_crop:\n        padding: 2\n        sise: 4",
      "run.yaml:5: unknown key 'data.augmentation[0].random_crop.sise'; did you mean 'size'?"
        + " Allowed are size, padding"
    ),
    (
      "\n    - random_crop\n    - cutout: {p: 1.5}",
      "run.yaml:4: data.augmentation[1].cutout.p is '1.5', but must be a number from 0 to 1"
    ),
    (
      "[random_erasing: {scale: [0.5, 0.1]}]",
      "run.yaml:2: data.augmentation[0].random_erasing.scale is [0.5, 0.1],"
        + " but must be a range [low, high] such as [0.5, 1], from 0 to 1, high at least 1e-06"
    ),
    (
      "[random_resized_crop: {scale: [0, 0]}]",
      "run.yaml:2: data.augmentation[0].random_resized_crop.scale is [0, 0],"
        + " but must be a range [low, high] such as [0.5, 1], from 0 to 1, high at least 1e-06"
    ),
    (
      "[random_resized_crop: {ratio: [0, 1]}]",
      "run.yaml:2: data.augmentation[0].random_resized_crop.ratio is [0, 1],"
        + " but must be a range [low, high] such as [0.5, 1], from 0.001 to 1000"
    ),
    (
      "[center_crop, random_erasing: {scale: [0.5, 0.6], ratio: [2, 3]}]",
      "run.yaml:2: data.augmentation has a random_erasing whose scale and ratio leave no rectangle"
        + " that is smaller than the image: lower scale"
    ),
    (
      "[center_crop, cutout: {size: 1}]",
      "run.yaml:2: data.augmentation[1].cutout.size is '1', but must be an integer from 2 to 16384"
    ),
    (
      "[random_erasing: {value: black}]",
      "run.yaml:2: data.augmentation[0].random_erasing.value is 'black',"
        + " but must be a number from -1e+15 to 1e+15 or random"
    ),
    (
      "[cutout: 16]",
      "run.yaml:2: data.augmentation[0].cutout is '16', but must be a mapping such as {p: …}"
    ),
    (
      "[{cutout: {}, resize: {}}]",
      "run.yaml:2: data.augmentation[0] has the keys 'cutout', 'resize', but takes one: indent what"
        + " belongs to 'cutout' further"
    ),
    (
      "cifra",
      "run.yaml:2: data.augmentation is 'cifra'; did you mean 'cifar'?"
        + " Allowed are none, cifar, imagenet, shift, auto_augment"
    ),
    (
      "{cutout: {}}",
      "run.yaml:2: data.augmentation is a mapping,"
        + " but must be one of none, cifar, imagenet, shift, auto_augment,"
        + " or a list of up to 100 steps"
    ),
    (
      "[resize]",
      "run.yaml:2: data.augmentation gives images of any shape, but data.image_size is 28:"
        + " add center_crop, random_crop or random_resized_crop with that size"
    ),
    (
      "[cutout, center_crop]",
      "run.yaml:2: data.augmentation has center_crop after cutout, which covers parts of the"
        + " finished image: move cutout to the end"
    ),
    (
      "[center_crop, rand_augment: {magnitude: 31}]",
      "run.yaml:2: data.augmentation has a rand_augment whose magnitude = 31 is not below"
        + " num_magnitude_bins = 31: lower it"
    ),
  ])
  func errorsNameThePlaceAndWhatIsAllowed(augmentation: String, message: String) {
    #expect {
      try read("data:\n  augmentation: \(augmentation)")
    } throws: {
      "\($0)" == message
    }
  }

  @Test func evaluationIsNotRandom() {
    #expect {
      try read("", overrides: ["data.evaluation=[random_crop]"])
    } throws: {
      "\($0)" == "--set data.evaluation=[random_crop]: data.evaluation has random_crop, which is"
        + " random, but evaluation must not be: remove it"
    }
  }
}
