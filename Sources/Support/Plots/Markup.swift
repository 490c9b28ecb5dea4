/// Text within HTML and SVG.
public enum Markup {
  /// The text with what would be read as markup written in another way; also within quotes.
  public static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
