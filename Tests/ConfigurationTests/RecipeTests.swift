import Foundation
import TestSupport
import Testing

@testable import Configuration

struct RecipeTests {
  @Test func allSayWhatTheyNeed() throws {
    let recipes = try Recipe.all()
    #expect(recipes.map(\.name).contains("cifar10-resnet18") && recipes.count >= 8)
    for recipe in recipes {
      #expect(recipe.title.hasSuffix(".") && recipe.title.count < 90, "\(recipe.name)")
      #expect(recipe.data?.hasSuffix(".") == true, "\(recipe.name)")
      #expect(recipe.samples ?? 0 > 1000 && recipe.classes ?? 0 >= 10, "\(recipe.name)")
      let text = try String(contentsOfFile: recipe.path, encoding: .utf8)
      #expect(text.contains("--config \(recipe.name) "), "\(recipe.name)")
    }
    let cifar = try #require(recipes.first { $0.name == "cifar10-resnet18" })
    #expect(cifar.samples == 50_000 && cifar.classes == 10)
    #expect(cifar.accuracy?.contains("SLTT 94.4-94.6 %, BPTT 94.6 %") == true)
  }

  @Test func areFoundByNameWithOrWithoutEnding() throws {
    let path = try Recipe.file(named: "cifar10-resnet18")
    #expect(path.hasSuffix("/configs/cifar10-resnet18.yaml"))
    #expect(try Recipe.file(named: "cifar10-resnet18.yaml") == path)
    #expect(try Configuration(file: path).model.architecture == .resNet18)
  }

  @Test func otherNamesAreFilesOrMistakes() throws {
    for name in ["dir/cifar10-resnet18", "own.yaml", "/tmp"] {
      #expect(try Recipe.file(named: name) == name)
    }
    let error = #expect(throws: ConfigurationError.self) {
      try Recipe.file(named: "cifar10-resnet81")
    }
    let text = try #require(error).description
    #expect(
      text.hasPrefix(
        "cifar10-resnet81: cannot read the configuration: no such file, and no recipe of this name;"
          + " did you mean 'cifar10-resnet18'? There are cifar10-2h, cifar10-own-network, "))
  }
}
