import Foundation

/// A time step of leaky integrate-and-fire neurons, an element at a time, in double precision.
struct PlainMembrane {
  var decay: Double
  var threshold: Double
  var surrogate: SurrogateGradient

  /// s[t] and v[t] from the input current scale x[t] + shift and v[t-1].
  func forward(current: Double, previous: Double) -> (fires: Bool, membrane: Double) {
    let u = decay * previous + current
    return (u >= threshold, u >= threshold ? u - threshold : u)
  }

  /// dL/du[t] from dL/ds[t] and dL/dv[t].
  func backward(spike: Double, later: Double, fires: Bool, membrane: Double) -> Double {
    let u = fires ? membrane + threshold : membrane
    return (spike - threshold * later) * derivative(u - threshold) + later
  }

  private func derivative(_ z: Double) -> Double {
    let a = Double(surrogate.width)
    switch surrogate.shape {
    case .triangle: return max(0, a - a * a * abs(z))
    case .rectangle: return abs(z) <= a / 2 ? 1 / a : 0
    case .sigmoid:
      let σ = 1 / (1 + exp(-a * z))
      return a * σ * (1 - σ)
    }
  }
}
