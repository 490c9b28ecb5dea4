import Support

/// A page of one file, which needs nothing from elsewhere, in light and dark, on wide screens and phones.
struct HTMLPage {
  var title: String
  /// Of HTML.
  var sections: [String]

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <title>\(Markup.escaped(title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <h1>\(Markup.escaped(title))</h1>
    \(sections.joined(separator: "\n"))
    </body>
    </html>

    """
  }

  private static let style = """
    :root { --ground: #ffffff; --card: #f6f7f9; --text: #1c1f24; --faint: #667080; --edge: #d9dde3; }
    @media (prefers-color-scheme: dark) {
      :root { --ground: #14171b; --card: #1d2127; --text: #e6e8eb; --faint: #9aa4b2; --edge: #343a43; }
    }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--ground);
      color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
    h1 { font-size: 1.5rem; margin: 0.5rem 0 1rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin: 1.8rem 0 0.6rem; }
    h3 { font-size: 1rem; margin: 0 0 0.4rem; overflow-wrap: anywhere; }
    p { margin: 0.4rem 0; } .faint { color: var(--faint); font-size: 0.9em; }
    .cards { display: grid; gap: 0.8rem;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
    .card { background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
      padding: 0.7rem; min-width: 0; }
    .card svg { width: 100%; max-width: 40rem; height: auto; display: block; margin: 0 auto; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.93em; }
    th, td { padding: 0.2rem 0.5rem; text-align: right; border-bottom: 1px solid var(--edge);
      white-space: nowrap; }
    th { font-weight: 600; color: var(--faint); }
    .card th, .card td { padding: 0.2rem 0.35rem; }
    th:first-child, td:first-child { text-align: left; padding-left: 0; }
    tr:last-child td { border-bottom: 0; }
    .legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; margin: 0.2rem 0 0.6rem; }
    .legend span::before { content: ""; display: inline-block; width: 1.4em; margin-right: 0.4em;
      border-top: 2px solid var(--line); vertical-align: middle; }
    .legend span.dashed::before { border-top-style: dashed; }
    .bar { display: block; width: 3.5em; } .bar span { display: block; height: 0.65em;
      border-radius: 2px; background: #009e73; }
    .images { display: grid; gap: 0.6rem; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); }
    figure { margin: 0; font-size: 0.85em; overflow-wrap: anywhere; }
    figure img { width: 100%; image-rendering: pixelated; border-radius: 4px; display: block;
      background: #000; }
    .right { color: #009e73; } .wrong { color: #d55e00; }
    details { margin-top: 0.4rem; } summary { cursor: pointer; }
    pre { overflow-x: auto; font-size: 0.85em; }
    """
}

/// Pieces of a page, as HTML.
enum HTML {
  static func section(_ title: String, _ content: String, note: String = "") -> String {
    "<h2>\(Markup.escaped(title))</h2>\n" + (note.isEmpty ? "" : Self.note(note) + "\n") + content
  }

  /// A remark in small letters.
  static func note(_ text: String) -> String { "<p class=\"faint\">\(Markup.escaped(text))</p>" }

  /// Boxes beside each other as far as there is room.
  static func cards(_ contents: [String]) -> String {
    "<div class=\"cards\">\n"
      + contents.map { "<div class=\"card\">\($0)</div>\n" }.joined() + "</div>"
  }

  static func heading(_ text: String) -> String { "<h3>\(Markup.escaped(text))</h3>" }

  /// The first row has the columns' names.
  static func table(_ rows: [[String]]) -> String {
    table(html: rows.map { $0.map(Markup.escaped) })
  }

  /// The same of cells that are HTML already.
  static func table(html rows: [[String]]) -> String {
    func row(_ cells: [String], _ tag: String) -> String {
      "<tr>" + cells.map { "<\(tag)>\($0)</\(tag)>" }.joined() + "</tr>\n"
    }
    return "<div class=\"scroll\"><table>\n" + (rows.first.map { row($0, "th") } ?? "")
      + rows.dropFirst().map { row($0, "td") }.joined() + "</table></div>"
  }

  /// What the lines of plots mean; the index is that of a plot's colour.
  static func legend(_ lines: [(name: String, color: Int, isDashed: Bool)]) -> String {
    "<div class=\"legend\">"
      + lines.map { line in
        "<span style=\"--line: \(LinePlot.color(line.color))\"\(line.isDashed ? " class=\"dashed\"" : "")>"
          + Markup.escaped(line.name) + "</span>"
      }.joined() + "</div>"
  }

  /// A bar as long as a share, 0 to 1.
  static func bar(_ share: Double) -> String {
    "<span class=\"bar\"><span style=\"width: \(Format.fixed(100 * min(1, max(0, share)), 1))%\"></span></span>"
  }
}
