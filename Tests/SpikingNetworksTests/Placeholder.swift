import Testing

@testable import SpikingNetworks
