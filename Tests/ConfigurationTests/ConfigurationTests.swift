import Foundation
import SpikingNetworks
import Tensors
import Testing

@testable import Configuration

struct ConfigurationTests {
  @Test func defaultsAreValid() throws {
    let configuration = try Configuration(file: nil)
    #expect(configuration == Configuration())
    try configuration.validate(ranks: 8)
  }

  /// The names are part of the contract with users.
  @Test func hasTheDocumentedKeys() {
    let contract = [
      "model":
        "architecture family blocks layers width stem normalization classes input_channels dropout",
      "neuron": """
      kind tau threshold threshold_rule reset detach_reset levels firing surrogate surrogate_width
      """,
      "method": "name timesteps k skip_trailing",
      "loss": "kind step_weights mse_weight mse_target mse_mean label_smoothing",
      "distill": "checkpoint temperature weight",
      "optimizer": "name learning_rate momentum nesterov weight_decay agc clip_norm shard",
      "schedule": "name warmup_epochs step_size gamma",
      "training": """
      epochs max_iterations global_batch micro_batch seed precision memory log_every on_nonfinite \
      check_replicas_every ema validate_every
      """,
      "distributed": "overlap wire",
      "checkpoint": "every_iterations every_minutes every_epochs keep on_error",
      "metrics": "histograms_every",
      "data": """
      format path train validation hold_out validation_samples drop_last image_size augmentation evaluation \
      mixup cutmix normalization convention frames event_augmentation event_normalization decoding sharding on_bad_sample \
      max_bad_samples workers
      """,
    ]
    let names = contract.flatMap { section, keys in
      keys.split(whereSeparator: \.isWhitespace).map { "\(section).\($0)" }
    }
    #expect(Configuration.keys.map(\.name).sorted() == names.sorted())
    #expect(Configuration.sections.count == contract.count)
  }
}
