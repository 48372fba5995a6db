import Tensors

extension GaussLegendre {
  /// A rule for paths with up to `features` different features, in whole vectors of 4 points.
  ///
  /// With one factor left out the product over a path is a polynomial of degree `features − 1`, for which
  /// `features / 2` points, rounded up, suffice.
  init(exactForPathsOf features: Int) {
    let needed = (features + 1) / 2
    self.init(count: 4 * max(1, (needed + 3) / 4))
  }
}
