import Foundation
import Support
import Tensors

/// The state that a loader and its workers share: a ring of batches, of which a window of
/// iterations is open to be filled, sample by sample.
///
/// Iteration i lives in slot i mod slots. All properties are guarded by `condition`; the contents of
/// a slot's storage belong to those who claimed samples of it until all are complete, then to the
/// loader's caller until it asks for the next batch.
final class BatchRing: @unchecked Sendable {
  /// A sample that a worker has taken on, and where it goes.
  struct Claim {
    let sample: Int
    let epoch: Int
    let iteration: Int
    let place: SamplePlace
  }

  private struct Slot {
    let storage: BatchStorage
    var part = BatchPart(samples: [], offset: 0, globalCount: 0, partner: 0)
    var mixture: BatchMixing.Mixture?
    /// Samples to be read: those of the part, and the first one's partner.
    var needed = 0
    var claimed = 0
    var completed = 0
    var replaced = 0
    /// The failure at the lowest position, whoever came first.
    var failure: (position: Int, error: DatasetError)?
  }

  /// What mixes the samples of a batch, from an epoch and an iteration.
  typealias Mixer = @Sendable (_ epoch: Int, _ iteration: Int) -> BatchMixing.Mixture?

  private let input: any SampleInput
  private let badSamples: BadSamples
  private let condition = NSCondition()
  private let mixer: Mixer
  private let progress: @Sendable () -> Void
  private var slots: [Slot]
  private var plan: EpochPlan?
  private var epoch = 0
  /// Iterations that may be claimed: from `claiming` to before `opened`.
  private var claiming = 0
  private var opened = 0
  /// The iteration that the caller asks for next.
  private var wanted = 0
  private var samplesInWork = 0
  private var isShutDown = false

  /// - Parameters:
  ///   - slots: batches.
  ///   - capacity: the most samples of a batch, with the partner of the first if samples are mixed.
  ///   - progress: is called for each sample that has been read.
  init(
    slots: Int, capacity: Int, of input: any SampleInput, onBadSample: BadSamplePolicy,
    progress: @escaping @Sendable () -> Void, mixer: @escaping Mixer
  ) {
    // Memory is granted before it is there; only when it is written is it missed.
    let bytes = Double(slots * capacity) * Double(input.timesteps * input.frameCount * 4)
    guard bytes <= Double(ProcessInfo.processInfo.physicalMemory) else {
      Exhaustion.end(
        "out of memory: \(slots) batches of \(capacity) samples take \(Int(bytes / 0x1p20)) MiB; use a"
          + " smaller global batch or image, or more ranks")
    }
    self.input = input
    self.mixer = mixer
    self.progress = progress
    badSamples = BadSamples(onBadSample)
    self.slots = (0..<slots).map { _ in
      Slot(
        storage: BatchStorage(
          capacity: capacity, timesteps: input.timesteps, frameCount: input.frameCount))
    }
  }

  // MARK: The loader's side

  /// Drops what is left of the current epoch and opens the first iterations of another.
  func begin(_ plan: EpochPlan, epoch: Int, iteration: Int) {
    condition.lock()
    defer { condition.unlock() }
    opened = claiming
    while samplesInWork > 0 { condition.wait() }
    self.plan = plan
    self.epoch = epoch
    (claiming, opened, wanted) = (iteration, iteration, iteration)
    openIterations(below: iteration + slots.count - 1)
  }

  /// Takes the batch before back from the caller and opens its slot for a later iteration. Returns
  /// the iteration that is next, or `nil` at the end of the epoch.
  func advance() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    guard let plan, wanted < plan.iterations else { return nil }
    openIterations(below: wanted + slots.count)
    wanted += 1
    return wanted - 1
  }

  /// Waits until an iteration is complete.
  func deliver(_ iteration: Int) throws(DatasetError) -> Batch {
    condition.lock()
    defer { condition.unlock() }
    let slot = iteration % slots.count
    while slots[slot].completed < slots[slot].needed { condition.wait() }
    if let failure = slots[slot].failure { throw failure.error }
    let part = slots[slot].part
    return Batch(
      iteration: iteration, count: part.count, offset: part.offset,
      globalCount: part.globalCount, mixedShare: slots[slot].mixture?.share,
      replaced: slots[slot].replaced, storage: slots[slot].storage)
  }

  /// Lets all workers end after the sample they are at.
  func shutDown() {
    condition.withLock {
      isShutDown = true
      condition.broadcast()
    }
  }

  private func openIterations(below end: Int) {
    guard let plan else { return }
    let end = min(end, plan.iterations)
    guard opened < end else { return }
    for iteration in opened..<end {
      let slot = iteration % slots.count
      let part = plan.part(iteration: iteration)
      let mixture = part.count > 0 ? mixer(epoch, iteration) : nil
      slots[slot].part = part
      slots[slot].mixture = mixture
      slots[slot].needed = part.count + (mixture == nil ? 0 : 1)
      slots[slot].claimed = 0
      slots[slot].completed = 0
      slots[slot].replaced = 0
      slots[slot].failure = nil
    }
    opened = end
    condition.broadcast()
  }

  // MARK: The workers' side

  /// The next sample that nobody has claimed. Without one, returns `nil`, or waits and returns `nil`
  /// only to end the worker.
  func claim(waiting: Bool) -> Claim? {
    condition.lock()
    defer { condition.unlock() }
    while !isShutDown {
      while claiming < opened {
        let slot = claiming % slots.count
        let (part, position) = (slots[slot].part, slots[slot].claimed)
        if position < slots[slot].needed {
          slots[slot].claimed += 1
          samplesInWork += 1
          return Claim(
            sample: Int(
              position < part.count
                ? part.samples[part.samples.startIndex + position] : part.partner),
            epoch: epoch, iteration: claiming,
            place: SamplePlace(
              storage: slots[slot].storage, position: position, count: part.count))
        }
        claiming += 1
      }
      guard waiting else { return nil }
      condition.wait()
    }
    return nil
  }

  /// Reads a claimed sample and enters the result. Whoever enters the last one of a batch mixes them.
  func complete(_ claim: Claim, reader: any SampleReader) {
    var failure: DatasetError?
    var isReplaced = false
    do {
      isReplaced = try badSamples.read(
        claim.sample, substitutes: input.substitutes(for: claim.sample)
      ) { sample throws(DatasetError) in
        try reader.read(sample, epoch: claim.epoch, into: claim.place)
      }
    } catch {
      failure = error
    }
    progress()

    condition.lock()
    defer { condition.unlock() }
    let slot = claim.iteration % slots.count
    if let failure, claim.place.position < slots[slot].failure?.position ?? .max {
      slots[slot].failure = (claim.place.position, failure)
    }
    let isLast = slots[slot].completed == slots[slot].needed - 1
    if isLast, slots[slot].failure == nil, let mixture = slots[slot].mixture {
      // Nobody else is at this batch: its samples are read, and it is delivered when it is complete.
      condition.unlock()
      claim.place.storage.mix(mixture, count: claim.place.count)
      condition.lock()
    }
    slots[slot].completed += 1
    // The partner of the first sample counts where it is a sample itself.
    if isReplaced, claim.place.position < claim.place.count { slots[slot].replaced += 1 }
    samplesInWork -= 1
    let isIdle = samplesInWork == 0 && claiming == opened  // what `begin` waits for
    if slots[slot].completed == slots[slot].needed || isIdle { condition.broadcast() }
  }
}
