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
  /// Fires σ(a z) instead of H(z), whose derivative the sigmoid surrogate is: a smooth function, to hold
  /// the gradients against finite differences.
  var isSmooth = false

  /// Potentials before firing, spikes, and potentials after the reset; of complementary neurons also m;
  /// [time step][neuron].
  struct Course {
    var u: [[Double]] = []
    var s: [[Double]] = []
    var v: [[Double]] = []
    var m: [[Double]] = []
  }

  /// - Parameter resetSpikes: those that the reset is made by; left out: those that were fired.
  func course(of currents: [[Double]], resetSpikes: [[Double]]? = nil) -> Course {
    var course = Course()
    for (t, currents) in currents.enumerated() {
      let rest = [Double](repeating: 0, count: currents.count)
      let (v, before) = (course.v.last ?? rest, course.m.last ?? rest)
      let u = zip(v, currents).map { decay * $0 + $1 }
      let s = u.map(spikes)
      let m = u.indices.map {
        isComplementary ? before[$0] * σ((1 - decay) * u[$0]) + s[$0] : 0
      }
      let resetting = resetSpikes?[t] ?? s
      course.u.append(u)
      course.s.append(s)
      course.m.append(m)
      course.v.append(u.indices.map { self.reset(u[$0], resetting[$0], m[$0]) })
    }
    return course
  }

  private func reset(_ u: Double, _ s: Double, _ m: Double) -> Double {
    if isComplementary { return u - threshold * s * (1 + σ(m)) }
    return reset == .soft ? u - threshold * s : u * (1 - s)
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
        var (gs, gu) = (spikeGradients[t][neuron], gv)
        if isComplementary {
          // v = u - threshold s (1 + σ(m)), m = m[t-1] σ(u / tau) + s
          let (strength, memory) = (σ(m), σ((1 - decay) * u))
          gm -= gv * threshold * s * strength * (1 - strength)
          gs += gm - gv * threshold * (1 + strength)
          let before = t > 0 ? course.m[t - 1][neuron] : 0
          gu += gm * before * (1 - decay) * memory * (1 - memory)
          gm = isTemporal ? gm * memory : 0
        } else if reset == .soft {
          gs -= detachesReset ? 0 : gv * threshold
        } else {
          // v = u (1 - s)
          gs -= detachesReset ? 0 : gv * u
          gu = gv * (1 - s)
        }
        gu += gs * slope(u)
        currents[t][neuron] = gu
        decayGradient += gu * (t > 0 ? course.v[t - 1][neuron] : 0)
        gv = isTemporal ? decay * gu : 0
      }
    }
    return (currents, decayGradient)
  }

  /// Of each level: the distance of u from where it fires.
  private func distances(_ u: Double) -> [Double] {
    (0..<levels).map { u - threshold * (Double($0) + (firing == .floor ? 1 : 0.5)) }
  }

  private func spikes(_ u: Double) -> Double {
    distances(u).reduce(0) {
      $0 + (isSmooth ? σ(Double(surrogate.width) * $1) : $1 >= 0 ? 1 : 0)
    }
  }

  private func slope(_ u: Double) -> Double { distances(u).reduce(0) { $0 + derivative($1) } }

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
  /// Neurons whose threshold stays.
  init(_ neuron: NeuronSpecification) {
    self.init(
      decay: neuron.kind == .if ? 1 : 1 - 1 / Double(neuron.tau),
      threshold: Double(neuron.threshold), surrogate: neuron.surrogate, reset: neuron.reset,
      detachesReset: neuron.detachesReset, levels: neuron.levels, firing: neuron.firing,
      isComplementary: neuron.kind == .clif)
  }
}
