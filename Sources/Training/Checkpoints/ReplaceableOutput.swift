import Foundation

/// Nothing but a file of the same kind is replaced by what `import` and `export` make, and no file of a
/// checkpoint.
///
/// - Parameters:
///   - kind: for the message.
///   - isOfKind: of a path.
func requireReplaceable(
  _ output: String, _ kind: String, _ isOfKind: (String) -> Bool
) throws(CheckpointError) {
  guard FileManager.default.fileExists(atPath: output) else { return }
  let directory = URL(fileURLWithPath: output).deletingLastPathComponent().path
  let isOfCheckpoint = FileManager.default.fileExists(
    atPath: directory + "/" + Checkpoint.stateName)
  guard !isOfCheckpoint, isOfKind(output) else {
    throw CheckpointError(
      path: output,
      problem: "is there already, and is "
        + (isOfCheckpoint ? "part of a checkpoint" : "no \(kind)")
        + ": name another --output")
  }
}
