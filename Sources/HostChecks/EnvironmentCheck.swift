/// Environment variables that change how fast or how exactly the libraries compute.
enum EnvironmentCheck {
  /// - Parameter threads: of this rank.
  static func findings(
    _ environment: [String: String], threads: Int, localRanks: Int
  ) -> [Finding] {
    let found = environment.filter { !$0.value.isEmpty }
    var findings = warnings.compactMap { name, meaning, advice in
      found[name].map { finding(name, "is \($0): \(meaning)").warning(advice) }
    }
    if let count = found["OMP_NUM_THREADS"] {
      findings.append(
        finding("OMP_NUM_THREADS", "is \(count); sltt-dist uses --threads or its cores instead"))
    }
    if let limit = found["OMP_THREAD_LIMIT"].flatMap({ Int($0) }), limit < threads {
      findings.append(
        finding("OMP_THREAD_LIMIT", "is \(limit), less than the \(threads) threads of this rank")
          .warning("Unset it"))
    }
    for name in ["GOMP_CPU_AFFINITY", "OMP_PLACES", "OMP_PROC_BIND"] {
      guard let value = found[name], !["false", "FALSE"].contains(value) else { continue }
      let set = finding(name, "is \(value): it binds threads to cores")
      findings.append(
        localRanks > 1
          ? set.warning("It would bind the threads of all ranks to the same cores: unset it") : set)
    }
    if let wait = found["OMP_WAIT_POLICY"], wait.lowercased() == "active", localRanks > 1 {
      findings.append(
        finding("OMP_WAIT_POLICY", "is active: waiting threads keep their cores busy")
          .warning("Unset it unless every thread has a core of its own"))
    }
    let parameters = found.filter { isParameterOfMPI($0.key) }.sorted { $0.key < $1.key }
    findings += parameters.map {
      finding($0.key, "is \($0.value); MPI's defaults are what sltt-dist is tested with")
    }
    return findings.isEmpty
      ? [finding("variables", "none is set that is known to hurt")] : findings
  }

  private static let warnings: [(name: String, meaning: String, advice: String)] = [
    (
      "OPENBLAS_CORETYPE", "OpenBLAS uses the kernels for that CPU, whatever this one is",
      "Unset it, unless OpenBLAS does not know this processor or its checks below fail without it"
    ),
    (
      "ONEDNN_MAX_CPU_ISA", "oneDNN uses no newer instructions",
      "Unset it, unless the checks of oneDNN below fail without it"
    ),
    (
      "DNNL_MAX_CPU_ISA", "oneDNN uses no newer instructions",
      "Unset it, unless the checks of oneDNN below fail without it"
    ),
    (
      "SLTT_VECTORS",
      "kernels for spikes use no newer instructions; values besides avx512, avx2 and any do nothing",
      "Unset it"
    ),
    (
      "ONEDNN_DEFAULT_FPMATH_MODE", "oneDNN may compute with fewer bits than asked for", "Unset it"
    ),
    ("ONEDNN_VERBOSE", "oneDNN prints a line for each call", "Unset it"),
    ("DNNL_VERBOSE", "oneDNN prints a line for each call", "Unset it"),
    (
      "LD_PRELOAD", "that library comes before the ones that are checked here",
      "Unset it unless it is meant"
    ),
  ]

  /// Whether a variable sets a parameter of Open MPI or MPICH and is not one that `mpirun` gives to its
  /// ranks.
  private static func isParameterOfMPI(_ name: String) -> Bool {
    if name.hasPrefix("MPIR_CVAR_") { return name != "MPIR_CVAR_CH3_INTERFACE_HOSTNAME" }
    let prefix = "OMPI_MCA_"
    guard name.hasPrefix(prefix) else { return false }
    let parameter = name.dropFirst(prefix.count)
    return ![
      "orte_", "ess", "pmix", "shmem_RUNTIME_QUERY_hint", "initial_wdir", "mpi_oversubscribe",
      "rmaps_", "hwloc_base_binding_policy",
    ].contains { parameter.hasPrefix($0) }
  }

  private static func finding(_ name: String, _ text: String) -> Finding {
    Finding(section: .environment, topic: name, text: text)
  }
}
