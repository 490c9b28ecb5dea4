import ArgumentParser
import Benchmarking
import Configuration

struct Recipes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the configurations that come with the program, and what they need and cost.",
    discussion: """
      --config takes their names, in any directory; a file of that name in the working directory comes \
      first.
      """)

  @OptionGroup var compute: ComputeOptions

  func run() {
    onOneRank("recipes") { communicator in
      let report = try RecipeReport(
        Recipe.all(), backend: compute.backend, threads: compute.threadCount(communicator))
      print(report.text)
    }
  }
}
