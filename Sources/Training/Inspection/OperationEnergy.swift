/// The energy of arithmetic operations, in picojoules.
public struct OperationEnergy: Equatable, Sendable {
  /// Of a multiplication with addition.
  public var mac: Double
  /// Of an addition.
  public var ac: Double

  /// By default that of 32-bit floats in 45 nm: 3.7 pJ for a product, 0.9 pJ for a sum (Horowitz,
  /// "Computing's energy problem", ISSCC 2014).
  public init(mac: Double = 4.6, ac: Double = 0.9) { (self.mac, self.ac) = (mac, ac) }

  /// In picojoules.
  public func of(macs: Double, acs: Double = 0) -> Double { macs * mac + acs * ac }
}
