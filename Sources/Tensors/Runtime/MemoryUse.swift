/// What to save where time and memory compete, named as in configuration files.
public enum MemoryUse: String, CaseIterable, Sendable {
  /// Time.
  case fast
  /// Memory: weights are packed anew in each pass, batch norm's inputs wait for the backward pass in
  /// bfloat16, no gradients of the stem's output are kept, and training waits while a checkpoint is
  /// written rather than copy what goes into it.
  case lean
}
