import Foundation

/// A time step of neurons, an element at a time, in double precision.
struct PlainMembrane {
  let dynamics: MembraneDynamics

  /// A neuron's state: u[t], and m[t] where it is complementary.
  struct State {
    var u: Double
    var m = 0.0
  }

  private var θ: Double { Double(dynamics.threshold) }
  private var decay: Double { Double(dynamics.decay) }

  /// s for a potential u.
  func spikes(_ u: Double) -> Int {
    (0..<dynamics.levels).count { u >= θ * (Double(dynamics.firing.offset) + Double($0)) }
  }

  /// v for a state.
  func reset(_ state: State) -> Double {
    let s = Double(spikes(state.u))
    if dynamics.isComplementary { return state.u - θ * s * (1 + σ(state.m)) }
    return dynamics.reset == .soft ? state.u - θ * s : state.u * (1 - s)
  }

  /// - Parameter current: scale x[t] + shift.
  func forward(current: Double, previous: State?) -> State {
    var state = State(u: (previous.map { decay * reset($0) } ?? 0) + current)
    if dynamics.isComplementary {
      state.m =
        (previous?.m ?? 0) * σ((1 - decay) * state.u) + Double(spikes(state.u))
    }
    return state
  }

  /// dL/du[t] and dL/dm[t-1] from dL/ds[t], dL/dv[t] and dL/dm[t].
  func backward(
    spike: Double, later: Double, laterComplement: Double = 0, _ state: State,
    previousComplement: Double = 0
  ) -> (u: Double, complement: Double) {
    let (u, s, slope) = (state.u, Double(spikes(state.u)), slope(state.u))
    guard dynamics.isComplementary else {
      let isHard = dynamics.reset == .hard
      let bySpike = dynamics.detachesReset ? 0 : isHard ? u : θ
      return ((spike - bySpike * later) * slope + later * (isHard ? 1 - s : 1), 0)
    }
    let (strength, memory) = (σ(state.m), σ((1 - decay) * u))
    let gm = laterComplement - θ * later * s * strength * (1 - strength)
    return (
      later + (spike + gm - θ * later * (1 + strength)) * slope
        + gm * previousComplement * (1 - decay) * memory * (1 - memory),
      gm * memory
    )
  }

  /// What stands for ds/du.
  func slope(_ u: Double) -> Double {
    (0..<dynamics.levels).reduce(0) {
      $0 + derivative(u - θ * (Double(dynamics.firing.offset) + Double($1)), isLowest: $1 == 0)
    }
  }

  private func derivative(_ z: Double, isLowest: Bool) -> Double {
    let a = Double(dynamics.surrogate.width)
    switch dynamics.surrogate.shape {
    case .triangle: return max(0, a - a * a * abs(z))
    case .rectangle: return abs(z) <= a / 2 && (isLowest || z > -a / 2) ? 1 / a : 0
    case .sigmoid: return a * σ(a * z) * (1 - σ(a * z))
    case .arctan: return a / (2 + 2 * (.pi / 2 * a * z) * (.pi / 2 * a * z))
    }
  }

  private func σ(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
