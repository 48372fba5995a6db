// The circuit of indirect object identification as ACDC draws it: 1,041 edges by rules from groups of heads.
//
// Source: Wang et al. 2022 (heads and groups); Conmy et al. 2023, public code (which groups are connected).

extension ACDCCircuit {
  /// A role in the circuit of indirect object identification.
  public enum IOIRole: String, CaseIterable, Sendable {
    case nameMover, backupNameMover, negativeNameMover, sInhibition, induction, duplicateToken, previousToken

    /// The heads that play it in GPT-2 small (Wang et al. 2022, figure 2), as (layer, head).
    public var heads: [(layer: Int, head: Int)] {
      switch self {
      case .nameMover: [(9, 9), (10, 0), (9, 6)]
      case .backupNameMover: [(10, 10), (10, 6), (10, 2), (10, 1), (11, 2), (9, 7), (9, 0), (11, 9)]
      case .negativeNameMover: [(10, 7), (11, 10)]
      case .sInhibition: [(7, 3), (7, 9), (8, 6), (8, 10)]
      case .induction: [(5, 5), (5, 8), (5, 9), (6, 9)]
      case .duplicateToken: [(0, 1), (0, 10), (3, 0)]
      case .previousToken: [(2, 2), (4, 11)]
      }
    }

    /// The inputs through which heads of this role read the embedding.
    var readsEmbedding: [HeadInput] {
      switch self {
      case .previousToken, .duplicateToken: [.queries, .keys, .values]
      case .sInhibition: [.queries]
      case .negativeNameMover, .nameMover, .backupNameMover: [.keys, .values]
      case .induction: []
      }
    }

    /// The inputs through which heads of this role read those of another.
    func reads(_ role: Self) -> [HeadInput] {
      switch (self, role) {
      case (.induction, .previousToken), (.sInhibition, .induction), (.sInhibition, .duplicateToken):
        [.keys, .values]
      case (.nameMover, .sInhibition), (.backupNameMover, .sInhibition), (.negativeNameMover, .sInhibition):
        [.queries]
      default: []
      }
    }

    /// Whether heads of this role write to the logits.
    var writesToLogits: Bool {
      switch self {
      case .nameMover, .backupNameMover, .negativeNameMover: true
      case .sInhibition, .induction, .duplicateToken, .previousToken: false
      }
    }
  }

  /// The circuit in GPT-2 small.
  ///
  /// MLPs and the embedding are all in it: they feed one another and the output, MLPs feed every input of the circuit's
  /// heads, and those heads feed every later MLP. What heads read of the embedding and of one another, and which write
  /// to the output, follows from their roles.
  public static var ioi: ACDCCircuit {
    let acdc = ACDCGraph(layers: 12, heads: 12)
    var roles: [GraphNode: IOIRole] = [:]
    for role in IOIRole.allCases {
      for head in role.heads { roles[.head(layer: head.layer, head: head.head)] = role }
    }
    let isPart = { (edge: GraphEdge) -> Bool in
      let source = roles[edge.source]
      if case .head = edge.source, source == nil { return false }
      switch edge.destination {
      case .mlp: return true
      case .logits: return source?.writesToLogits ?? true
      case .head(_, _, let input):
        guard let reader = edge.destination.node.flatMap({ roles[$0] }) else { return false }
        if case .mlp = edge.source { return true }
        guard let source else { return reader.readsEmbedding.contains(input) }
        return reader.reads(source).contains(input)
      }
    }
    let inputs = IOIRole.allCases.flatMap(\.heads).flatMap { head in
      HeadInput.allCases.map { (layer: head.layer, head: head.head, input: $0) }
    }
    let edges = acdc.graph.edges
    return ACDCCircuit(
      acdc, additions: Set(edges.indices.filter { isPart(edges[$0]) }), inputs: inputs)
  }
}
