import Configuration
import Datasets
import Tensors
import Training

/// Samples that cost nothing to make: noise in the shape of images or of event frames.
struct SyntheticInput: SampleInput {
  let count: Int
  let timesteps: Int
  let imageSize: Int
  let channels: Int
  let classes: Int

  /// Share of the values of an event frame that are not 0.
  private static let eventDensity: Float = 0.05

  var frameCount: Int { imageSize * imageSize * channels }

  func makeReader(seed: UInt64) -> any SampleReader { Reader(input: self, seed: seed) }

  private final class Reader: SampleReader {
    private let input: SyntheticInput
    private let seed: UInt64

    init(input: SyntheticInput, seed: UInt64) {
      (self.input, self.seed) = (input, seed)
    }

    func read(_ sample: Int, epoch: Int, into place: SamplePlace) throws(DatasetError) {
      var random = RandomStream(seed: seed, purpose: .augmentation, index: sample)
      for timestep in 0..<input.timesteps {
        let frame = place.frame(timestep)
        for index in frame.indices {
          let value = random.uniform()
          // Images of unit variance; counts of events, of which most pixels have none.
          frame[index] =
            input.timesteps == 1
            ? (value - 0.5) * 3.4641 : (value < SyntheticInput.eventDensity ? 1 : 0)
        }
      }
      place.setLabel(Int32(sample % input.classes))
    }
  }
}

extension Configuration {
  /// At an epoch of so many samples of the configured shape, all of them in one batch of which `rank` takes
  /// its part.
  ///
  /// - Precondition: the number of classes is known.
  func syntheticLoader(samples: Int, rank: Int = 0, rankCount: Int = 1) -> DataLoader {
    let loader = DataLoader(
      SyntheticInput(
        count: samples, timesteps: framesOfASample, imageSize: data.imageSize,
        channels: inputChannels, classes: model.classes!),
      sampler: Sampler(
        sampleCount: samples, globalBatch: samples, rank: rank, rankCount: rankCount,
        order: .sequential),
      seed: training.seed, workers: 0)
    loader.begin(epoch: 0)
    return loader
  }

  /// For data that are not there: the number of classes that was left to them.
  func completedForSyntheticData() -> Configuration {
    var completed = self
    completed.model.classes = model.classes ?? 10
    return completed
  }
}
