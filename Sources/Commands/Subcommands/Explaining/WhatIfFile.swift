// what-if.json: a row, and models small enough to be run again by a page.

import Files
import Tables
import TabularExplainer
import Trees

/// The trees of the surrogate, and of the black box where it is made of few enough, as a page's script walks them.
///
/// Thresholds are doubles that part the feature's values as the model's own do; categories are places in the feature's
/// list of names.
struct WhatIfFile {
  let explainer: Explainer

  /// The most nodes that go into a page: about a megabyte.
  private static let mostNodes = 20_000

  /// The file's text; nil where the surrogate has no trees.
  func json(row: Int) -> JSONValue? {
    let stand = explainer.choice.surrogate
    let surrogate: TreeEnsemble
    if case .trees(let ensemble) = stand.model {
      surrogate = ensemble
    } else if case .trees(let ensemble) = explainer.choice.tree.model {
      surrogate = ensemble
    } else {
      return nil
    }
    guard let surrogateModel = model(surrogate) else { return nil }
    let blackBox = explainer.probed.ensemble.flatMap { model($0) }
    let features = explainer.table.features
    let asked = Set(explainer.choice.features)
    let cells = features.row(row)
    return .object([
      JSONMember("schema_version", .integer(1)),
      JSONMember("row", .integer(row + 1)),
      JSONMember("outputs", .array(explainer.probed.blackBox.outputNames.map { .string($0) })),
      JSONMember("features", .array(features.names.indices.map { feature($0, isKept: asked.contains($0)) })),
      JSONMember(
        "cells",
        .array(
          cells.indices.map { place in
            guard !cells[place].isNaN else { return .null }
            return features.kinds[place] == .numeric
              ? .number(explainer.catalogue.number(cells[place], of: place)) : .integer(Int(cells[place]))
          })),
      JSONMember("surrogate", surrogateModel), JSONMember("black_box", blackBox ?? .null),
    ])
  }

  private func feature(_ place: Int, isKept: Bool) -> JSONValue {
    let features = explainer.table.features
    var members = [
      JSONMember("name", .string(features.names[place])), JSONMember("kept", .boolean(isKept)),
    ]
    switch features.kinds[place] {
    case .categorical(let names):
      members.append(JSONMember("categories", isKept ? .array(names.map { .string($0) }) : .array([])))
    case .numeric:
      guard isKept else { break }
      let known = features.column(place).filter { !$0.isNaN }
      if let low = known.min(), let high = known.max() {
        members.append(JSONMember("low", .number(explainer.catalogue.number(low, of: place))))
        members.append(JSONMember("high", .number(explainer.catalogue.number(high, of: place))))
      }
    }
    return .object(members)
  }

  /// A model as the script reads it; nil where it is too large, or asks what a page cannot answer.
  private func model(_ ensemble: TreeEnsemble) -> JSONValue? {
    guard ensemble.trees.reduce(0, { $0 + $1.nodes.count }) <= Self.mostNodes else { return nil }
    let table = explainer.table.features
    let places = Dictionary(zip(table.names, 0...), uniquingKeysWith: { first, _ in first })
    var trees: [JSONValue] = []
    for tree in ensemble.trees {
      guard let written = written(tree, of: ensemble, places) else { return nil }
      trees.append(written)
    }
    return .object([
      JSONMember("base", .array(ensemble.baseScores.map { .number($0) })),
      JSONMember("scale", .number(ensemble.scale)), JSONMember("link", link(ensemble.link)),
      JSONMember("trees", .array(trees)),
    ])
  }

  private func link(_ link: TreeEnsemble.Link) -> JSONValue {
    let (name, slope): (String, Double) =
      switch link {
      case .identity: ("identity", 1)
      case .logistic(let slope): ("logistic", slope)
      case .logisticEach(let slope): ("logisticEach", slope)
      case .softmax: ("softmax", 1)
      case .exponential: ("exponential", 1)
      case .signedSquare: ("signedSquare", 1)
      case .complement: ("complement", 1)
      case .step: ("step", 1)
      }
    return .object([JSONMember("name", .string(name)), JSONMember("slope", .number(slope))])
  }

  private func written(_ tree: Tree, of ensemble: TreeEnsemble, _ places: [String: Int]) -> JSONValue? {
    let table = explainer.table.features
    var (features, thresholds, left, right, missing):
      (
        [JSONValue], [JSONValue], [JSONValue], [JSONValue], [JSONValue]
      ) = ([], [], [], [], [])
    for node in tree.nodes {
      left.append(.integer(Int(node.left)))
      right.append(.integer(Int(node.right)))
      missing.append(.integer(node.missingGoesLeft ? 1 : 0))
      guard !node.isLeaf else {
        features.append(.integer(-1))
        thresholds.append(.integer(0))
        continue
      }
      let own = Int(node.feature)
      guard let place = places[ensemble.featureNames[own]], !node.zeroIsMissing else { return nil }
      features.append(.integer(place))
      if node.isCategorical {
        guard case .categorical(let names) = ensemble.featureKinds[own],
          case .categorical(let known) = table.kinds[place]
        else { return nil }
        let codes = Dictionary(zip(known, 0...), uniquingKeysWith: { first, _ in first })
        let set = tree.categories(at: node).compactMap { names.indices.contains($0) ? codes[names[$0]] : nil }
        thresholds.append(.array(set.map { .integer($0) }))
      } else {
        guard table.kinds[place] == .numeric else { return nil }
        let bound =
          ensemble.scales[own].map { $0.value(of: node.threshold) }
          ?? explainer.catalogue.bound(node.threshold, of: place)
        thresholds.append(.number(bound))
      }
    }
    var members = [
      JSONMember("f", .array(features)), JSONMember("t", .array(thresholds)), JSONMember("l", .array(left)),
      JSONMember("r", .array(right)), JSONMember("m", .array(missing)),
      JSONMember("v", .array(tree.leafValues.map { .number(Double("\(Float($0))") ?? $0) })),
    ]
    if let output = tree.output { members.append(JSONMember("o", .integer(output))) }
    return .object(members)
  }
}
