import Foundation
import TestSupport
import Testing

struct RecipesTests {
  @Test func areListedWithWhatTheyCost() throws {
    let run = try Workspace().run("recipes")
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains("\ncifar10-resnet18\n  Pre-activation spiking ResNet-18"))
    let lines = run.output.split(separator: "\n")
    for (label, count) in [("data", 9), ("memory", 9), ("time", 9), ("accuracy", 8)] {
      #expect(lines.count { $0.hasPrefix("  " + label.padding(to: 10)) } == count, "\(label)")
    }
    #expect(run.output.contains("for one rank with 1 thread on this machine"))
  }

  @Test func areConfigurationsInAnyDirectory() throws {
    let workspace = try Workspace()
    let named = try workspace.run(
      "inspect", "--config", "nmnist-vgg11", "--set", "model.classes=10", usesOneThread: false)
    #expect(named.status == 0 && named.output.hasPrefix("vgg [1, 1, 2, 2, 2], width 16,"))
    // A file of that name comes first.
    try workspace.directory.write("model: {width: 8}", to: "nmnist-vgg11")
    let own = try workspace.run(
      "inspect", "--config", "nmnist-vgg11", "--set", "model.classes=10", usesOneThread: false)
    #expect(own.status == 0 && own.output.hasPrefix("resnet [1, 1, 1], width 8,"))
    let wrong = try workspace.run("train", "--config", "nmnist-vgg12")
    #expect(wrong.status == 1)
    #expect(wrong.messages.first?.contains("did you mean 'nmnist-vgg11'?") == true)
  }
}

extension String {
  fileprivate func padding(to count: Int) -> String {
    padding(toLength: count, withPad: " ", startingAt: 0)
  }
}
