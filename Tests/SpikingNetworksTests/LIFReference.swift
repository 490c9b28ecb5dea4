import Foundation
import Tensors

/// A sequence of time steps of leaky integrate-and-fire neurons, written down plainly, in double
/// precision, with its gradients worked out by hand.
struct LIFReference {
  var decay: Double
  var threshold: Double
  var surrogate: SurrogateGradient
  /// Fires σ(a z) instead of H(z), whose derivative the sigmoid surrogate is: a smooth function, to hold
  /// the gradients against finite differences.
  var isSmooth = false

  /// Potentials before firing, spikes, and potentials after the reset; [time step][neuron].
  struct Course {
    var u: [[Double]] = []
    var s: [[Double]] = []
    var v: [[Double]] = []
  }

  func course(of currents: [[Double]]) -> Course {
    var course = Course()
    for (t, current) in currents.enumerated() {
      let before = t > 0 ? course.v[t - 1] : [Double](repeating: 0, count: current.count)
      let u = zip(before, current).map { decay * $0 + $1 }
      let s = u.map { spike($0 - threshold) }
      course.u.append(u)
      course.s.append(s)
      course.v.append(zip(u, s).map { $0 - threshold * $1 })
    }
    return course
  }

  /// dL/dcurrent and dL/ddecay from dL/ds, where gradient flows through v[t-1] if `isTemporal`.
  func gradients(
    of course: Course, spikeGradients: [[Double]], isTemporal: Bool
  ) -> (currents: [[Double]], decay: Double) {
    var currents = course.u
    var decayGradient = 0.0
    for neuron in course.u[0].indices {
      var later = 0.0
      for t in course.u.indices.reversed() {
        let slope = derivative(course.u[t][neuron] - threshold)
        // v = u - threshold s(u)
        let gu = spikeGradients[t][neuron] * slope + later * (1 - threshold * slope)
        currents[t][neuron] = gu
        decayGradient += gu * (t > 0 ? course.v[t - 1][neuron] : 0)
        later = isTemporal ? decay * gu : 0
      }
    }
    return (currents, decayGradient)
  }

  private func spike(_ z: Double) -> Double {
    isSmooth ? 1 / (1 + exp(-Double(surrogate.width) * z)) : (z >= 0 ? 1 : 0)
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
}
