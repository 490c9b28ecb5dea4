import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What is in an XML document.
public final class XMLElements: NSObject, XMLParserDelegate {
  /// Of all elements, by their name.
  public private(set) var attributes: [String: [[String: String]]] = [:]
  public private(set) var text = ""

  /// - Returns: nil where the document is not well-formed.
  public init?(_ document: String) {
    super.init()
    let parser = XMLParser(data: Data(document.utf8))
    parser.delegate = self
    guard parser.parse() else { return nil }
  }

  public func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    self.attributes[name, default: []].append(attributes)
  }

  public func parser(_ parser: XMLParser, foundCharacters characters: String) {
    text += characters
  }
}
