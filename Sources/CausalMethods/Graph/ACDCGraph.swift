// How ACDC counts (Conmy et al. 2023, arXiv 2304.14997; the authors' public code), so that published numbers can be
// compared with.
//
// Beside the edges from writers to readers, ACDC counts the step from each head's q, k and v to its result: three edges
// a head. GPT-2 small then has 32,491 + 432 = 32,923 edges, and TransformerLens's attn-only-4l 1,281 + 96 = 1,377.

extension CircuitGraph {
  /// Number of edges by ACDC's count.
  public var acdcEdgeCount: Int { edgeCount + 3 * layers * heads }
}
