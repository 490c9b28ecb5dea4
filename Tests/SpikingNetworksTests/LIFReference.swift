import Foundation
import Tensors

@testable import SpikingNetworks

/// A sequence of time steps of leaky integrate-and-fire neurons, written down plainly, in double
/// precision, with its gradients worked out by hand. `MembraneDynamics` has the equations.
struct LIFReference {
  var decay: Double
  var threshold: Double
  var surrogate: SurrogateGradient
  var reset = Reset.soft
  var detachesReset = false
  var levels = 1
  var firing = Firing.floor
  var isComplementary = false
  var thresholdRule = NeuronSpecification.ThresholdRule.fixed
  /// Fires σ(a z) instead of H(z), whose derivative the sigmoid surrogate is: a smooth function, to hold
  /// the gradients against finite differences.
  var isSmooth = false

  /// Potentials before firing, spikes, and potentials after the reset; of complementary neurons also m;
  /// [time step][neuron]. And the threshold of each time step.
  struct Course {
    var u: [[Double]] = []
    var s: [[Double]] = []
    var v: [[Double]] = []
    var m: [[Double]] = []
    var θ: [Double] = []
  }

  /// - Parameter fixed: has what gradients do not flow through, thresholds that move and the spikes of a
  ///   detached reset; left out: this course.
  func course(of currents: [[Double]], constantsOf fixed: Course? = nil) -> Course {
    var course = Course()
    for (t, currents) in currents.enumerated() {
      let rest = [Double](repeating: 0, count: currents.count)
      let (v, before) = (course.v.last ?? rest, course.m.last ?? rest)
      let u = zip(v, currents).map { decay * $0 + $1 }
      let θ = fixed?.θ[t] ?? thresholdRule.threshold(of: u, first: course.u.first ?? u, threshold)
      let s = u.map { spikes($0, θ) }
      let m = u.indices.map {
        isComplementary ? before[$0] * σ((1 - decay) * u[$0]) + s[$0] : 0
      }
      let resetting = detachesReset ? fixed?.s[t] ?? s : s
      course.u.append(u)
      course.s.append(s)
      course.m.append(m)
      course.θ.append(θ)
      course.v.append(u.indices.map { self.reset(u[$0], resetting[$0], m[$0], θ) })
    }
    return course
  }

  private func reset(_ u: Double, _ s: Double, _ m: Double, _ θ: Double) -> Double {
    if isComplementary { return u - θ * s * (1 + σ(m)) }
    return reset == .soft ? u - θ * s : u * (1 - s)
  }

  /// dL/dcurrent and, but for complementary neurons, dL/ddecay from dL/ds, where gradient flows through
  /// time if `isTemporal`.
  func gradients(
    of course: Course, spikeGradients: [[Double]], isTemporal: Bool
  ) -> (currents: [[Double]], decay: Double) {
    var currents = course.u
    var decayGradient = 0.0
    for neuron in course.u[0].indices {
      // dL/dv[t] and dL/dm[t]
      var (gv, gm) = (0.0, 0.0)
      for t in course.u.indices.reversed() {
        let (u, s, m) = (course.u[t][neuron], course.s[t][neuron], course.m[t][neuron])
        let θ = course.θ[t]
        var (gs, gu) = (spikeGradients[t][neuron], gv)
        if isComplementary {
          // v = u - θ s (1 + σ(m)), m = m[t-1] σ(u / tau) + s
          let (strength, memory) = (σ(m), σ((1 - decay) * u))
          gm -= gv * θ * s * strength * (1 - strength)
          gs += gm - gv * θ * (1 + strength)
          let before = t > 0 ? course.m[t - 1][neuron] : 0
          gu += gm * before * (1 - decay) * memory * (1 - memory)
          gm = isTemporal ? gm * memory : 0
        } else if reset == .soft {
          gs -= detachesReset ? 0 : gv * θ
        } else {
          // v = u (1 - s)
          gs -= detachesReset ? 0 : gv * u
          gu = gv * (1 - s)
        }
        gu += gs * slope(u, θ)
        currents[t][neuron] = gu
        decayGradient += gu * (t > 0 ? course.v[t - 1][neuron] : 0)
        gv = isTemporal ? decay * gu : 0
      }
    }
    return (currents, decayGradient)
  }

  /// Of each level: the distance of u from where it fires.
  private func distances(_ u: Double, _ θ: Double) -> [Double] {
    (0..<levels).map { u - θ * (Double($0) + (firing == .floor ? 1 : 0.5)) }
  }

  private func spikes(_ u: Double, _ θ: Double) -> Double {
    distances(u, θ).reduce(0) {
      $0 + (isSmooth ? σ(Double(surrogate.width) * $1) : $1 >= 0 ? 1 : 0)
    }
  }

  private func slope(_ u: Double, _ θ: Double) -> Double {
    distances(u, θ).reduce(0) { $0 + derivative($1) }
  }

  private func derivative(_ z: Double) -> Double {
    let a = Double(surrogate.width)
    switch surrogate.shape {
    case .triangle: return max(0, a - a * a * abs(z))
    case .rectangle: return abs(z) <= a / 2 ? 1 / a : 0
    case .arctan: return a / (2 + 2 * (.pi / 2 * a * z) * (.pi / 2 * a * z))
    case .sigmoid: return a * exp(-a * z) / ((1 + exp(-a * z)) * (1 + exp(-a * z)))
    }
  }

  private func σ(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}

extension LIFReference {
  init(_ neuron: NeuronSpecification) {
    self.init(
      decay: neuron.kind == .if ? 1 : 1 - 1 / Double(neuron.tau),
      threshold: Double(neuron.threshold), surrogate: neuron.surrogate, reset: neuron.reset,
      detachesReset: neuron.detachesReset, levels: neuron.levels, firing: neuron.firing,
      isComplementary: neuron.kind == .clif, thresholdRule: neuron.thresholdRule)
  }
}

extension NeuronSpecification.ThresholdRule {
  /// θ for the potentials of a time step, given those of the first one; `ThresholdStabilizer` has the equation.
  fileprivate func threshold(of u: [Double], first: [Double], _ threshold: Double) -> Double {
    guard self == .stabilized else { return threshold }
    func moments(_ u: [Double]) -> (mean: Double, deviation: Double) {
      let mean = u.reduce(0, +) / Double(u.count)
      let squares = u.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (mean, (squares / Double(u.count - 1)).squareRoot())
    }
    let (now, start) = (moments(u), moments(first))
    return now.mean + now.deviation * (threshold - start.mean) / start.deviation
  }
}
