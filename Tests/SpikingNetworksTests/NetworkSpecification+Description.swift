import SpikingNetworks
import Testing

/// Its parts would fill pages.
extension NetworkSpecification: CustomTestStringConvertible {
  public var testDescription: String { title }
}
