// Looking into a network: attention, gradient × input, integrated gradients; for every row, and over all rows.
//
// Every probe ends at input features: a feature's standardised, missing-indicator and one-hot columns are added up.
// The baseline of all gradients is the design of zeros, the average training row.

import Tables
import Tensors

extension NetworkBlackBox {
  /// The output with the largest prediction at every row; 0 for a regression.
  public func predictedOutputs(_ features: Features) throws -> [Int] {
    let predictions = try predict(features)
    let (values, width) = (predictions.values, outputNames.count)
    return (0..<features.rowCount).map { row in
      (0..<width).max { values[row * width + $0] < values[row * width + $1] } ?? 0
    }
  }

  /// Gradient × input (Shrikumar et al. 2016): the slope of the prediction along each feature, times the feature's
  /// distance from its average.
  /// - Parameter outputs: the class explained at every row; nil for the predicted ones.
  public func gradientTimesInput(_ features: Features, outputs: [Int]? = nil) throws -> RowAttributions {
    let design = try encoder.encode(features)
    let outputs = try outputs ?? predictedOutputs(features)
    let gradient = inBatches(design, outputs) { part, chosen in
      predictionGradient(part, chosen).gradient.times(part)
    }
    return RowAttributions(
      method: "gradient-input", names: encoder.featureNames, outputs: outputs,
      values: encoder.featureSums(gradient))
  }

  /// Integrated gradients (Sundararajan et al. 2017): gradients averaged along the straight way from the average row,
  /// times that way. Contributions add up to `prediction − baseline` as the steps become many.
  /// - Parameters:
  ///   - outputs: the class explained at every row; nil for the predicted ones.
  ///   - steps: midpoints at which the gradient is taken.
  public func integratedGradients(
    _ features: Features, outputs: [Int]? = nil, steps: Int = 32
  ) throws -> RowAttributions {
    precondition(steps > 0, "\(steps) steps")
    let design = try encoder.encode(features)
    let outputs = try outputs ?? predictedOutputs(features)
    let integral = inBatches(design, outputs) { part, chosen in
      var sum = Tensor(zeros: part.shape)
      for step in 0..<steps {
        let place = part.scaled(by: (Float(step) + 0.5) / Float(steps))
        sum = sum.plus(predictionGradient(place, chosen).gradient, scaledBy: 1 / Float(steps))
      }
      return sum.times(part)
    }
    let predicted = predictions(network.logitsInBatches(design))
    let origin = predictions(network.logits(Tensor(zeros: [1, encoder.columnCount]))).values
    let width = outputNames.count
    return RowAttributions(
      method: "integrated-gradients", names: encoder.featureNames, outputs: outputs,
      values: encoder.featureSums(integral),
      predictions: predicted.withValues { span in
        outputs.enumerated().map { Double(span[$0 * width + $1]) }
      }, baselines: outputs.map { Double(origin[$0]) })
  }

  /// The attention of a CAE-SAN, row by row: each row's values sum to 1. Nil for a network without attention.
  ///
  /// An input cell's own attention counts in full. The attention on latents is shared among features as they move
  /// those latents: by the size of gradient × input of the attended latents.
  public func attention(_ features: Features) throws -> RowAttributions? {
    guard let network = network as? ConvolutionalAttentionNetwork else { return nil }
    let design = try encoder.encode(features)
    let outputs = try predictedOutputs(features)
    let shares = inBatches(design, outputs) { part, _ in
      let (cells, columns) = network.localAttention(part)
      return cells.columns(0..<columns).plus(
        latentShares(network, part, weights: cells.columns(columns..<cells.shape[1])))
    }
    return RowAttributions(
      method: "attention", names: encoder.featureNames, outputs: outputs, values: encoder.featureSums(shares))
  }

  /// The paper's global importance, mean over heads of softmax(diag W), of the input cells alone; they sum to less
  /// than 1 where latents are attended to. Nil for a network without attention.
  public var globalAttention: FeatureImportance? {
    guard let network = network as? ConvolutionalAttentionNetwork else { return nil }
    let cells = Tensor(
      network.attention.globalImportance.prefix(network.columnCount), shape: [1, network.columnCount])
    return FeatureImportance(
      method: "global-attention", names: encoder.featureNames,
      values: encoder.featureSums(cells).values.map(Double.init))
  }

  /// The attention on latents, spread over design columns: `[rows, columns]`.
  private func latentShares(
    _ network: ConvolutionalAttentionNetwork, _ design: Tensor, weights: Tensor
  ) -> Tensor {
    let influence = network.latentGradient(design, weights: weights).times(design)
    let (rows, width, latents) = (design.shape[0], design.shape[1], weights.shape[1])
    return Tensor(shape: [rows, width]) { target in
      influence.withValues { influence in
        weights.withValues { weights in
          for row in 0..<rows {
            var (mass, total): (Double, Double) = (0, 0)
            for latent in 0..<latents { mass += Double(weights[row * latents + latent]) }
            for column in 0..<width { total += Double(abs(influence[row * width + column])) }
            for column in 0..<width {
              // Where nothing moves the latents, their attention belongs to all columns alike.
              let share = total > 0 ? Double(abs(influence[row * width + column])) / total : 1 / Double(width)
              target[row * width + column] = Float(mass * share)
            }
          }
        }
      }
    }
  }

  /// The gradient with respect to the design of each row's prediction of its output.
  func predictionGradient(_ design: Tensor, _ outputs: [Int]) -> (logits: Tensor, gradient: Tensor) {
    let width = outputNames.count
    let result = network.inputGradient(design) { logits in
      var chosen = [Float](repeating: 0, count: logits.count)
      for (row, output) in outputs.enumerated() { chosen[row * width + output] = 1 }
      switch output {
      case .classes: return logits.softmaxOfRows().softmaxOfRowsGradient(Tensor(chosen, shape: logits.shape))
      case .quantity(_, let scale): return Tensor(chosen.map { $0 * scale }, shape: logits.shape)
      }
    }
    return (result.logits, result.input)
  }

  /// Rows in batches, so that activations of a few rows are held at a time.
  private func inBatches(
    _ design: Tensor, _ outputs: [Int], _ body: (Tensor, [Int]) -> Tensor
  ) -> Tensor {
    var values: [Float] = []
    values.reserveCapacity(design.count)
    for start in stride(from: 0, to: design.shape[0], by: 32) {
      let rows = start..<min(start + 32, design.shape[0])
      values += body(design.rows(rows), Array(outputs[rows])).values
    }
    return Tensor(values, shape: design.shape)
  }
}
