/// How exactly images are decoded.
public enum ImageDecoding: String, Sendable, CaseIterable {
  /// To the pixels that Pillow gives.
  case exact
  /// JPEGs that are much larger than the transform needs at a half, a quarter or an eighth of their
  /// size, and chroma without smoothing between samples.
  case fast
}
