// The convolutional autoencoder with a self-attention head (Karim et al. 2022, on Škrlj et al. 2020), over input features.
//
//   design row x ── σ ── square image ── Conv16 ─ Conv8 ─ Conv8 ── latents z ── Conv8 ─ Conv8 ─ Conv16 ─ Conv1 ─ σ ── image
//        │                       (3×3, batch norm, rectifier, 2×2 max-pool)          (3×3, rectifier, 2× upsampling)
//        └───────────── [x, z] ── attention heads ── dense, SELU ── logits
//
// The paper's head attends to latents only and labels their cells with feature names. Here the heads attend to the
// input features themselves, with the latents beside them as further cells, so that attention names features.

import NeuralNetworks
import Tensors

/// CAE-SAN: classification (or regression) and reconstruction at once.
struct ConvolutionalAttentionNetwork: DifferentiableNetwork {
  let layout: SquareLayout
  /// The share of the reconstruction's mean squared error in the training loss.
  let reconstructionWeight: Float
  var encoder: LayerSequence
  var decoder: LayerSequence
  var attention: AttentionHeads
  var head: LayerSequence

  init(
    layout: SquareLayout, outputs: Int, headCount: Int, rank: Int, hidden: Int, dropout: Float,
    reconstructionWeight: Float, using generator: inout SeededGenerator
  ) {
    self.layout = layout
    self.reconstructionWeight = reconstructionWeight
    var encoderLayers: [any NetworkLayer] = []
    for (inputs, outputs) in [(1, 16), (16, 8), (8, 8)] {
      encoderLayers += [
        ConvolutionLayer(inputs: inputs, outputs: outputs, using: &generator),
        BatchNormalisationLayer(channels: outputs), ActivationLayer(activation: .relu), MaxPoolingLayer(),
      ]
    }
    encoder = LayerSequence(layers: encoderLayers)
    var decoderLayers: [any NetworkLayer] = []
    for (inputs, outputs) in [(8, 8), (8, 8), (8, 16)] {
      decoderLayers += [
        ConvolutionLayer(inputs: inputs, outputs: outputs, using: &generator),
        ActivationLayer(activation: .relu), UpsamplingLayer(),
      ]
    }
    decoderLayers += [ConvolutionLayer(inputs: 16, outputs: 1, using: &generator), LogisticLayer()]
    decoder = LayerSequence(layers: decoderLayers)
    let columns = layout.pixelOfColumn.count
    let cells = columns + 8 * (layout.side / 8) * (layout.side / 8)
    attention = AttentionHeads(cells: cells, headCount: headCount, rank: rank, using: &generator)
    head = LayerSequence(layers: [
      DropoutLayer(rate: dropout), DenseLayer(inputs: cells, outputs: hidden, gain: 1, using: &generator),
      ActivationLayer(activation: .selu), DropoutLayer(rate: dropout),
      DenseLayer(inputs: hidden, outputs: outputs, gain: 1, using: &generator),
    ])
  }

  /// The number of design columns; the cells after them are latents.
  var columnCount: Int { layout.pixelOfColumn.count }

  var parameters: [Tensor] {
    encoder.parameters + decoder.parameters + attention.parameters + head.parameters
  }
  var statistics: [Tensor] { encoder.statistics }

  mutating func visitParameters(_ visit: (inout Tensor) -> Void) {
    encoder.visitParameters(visit)
    decoder.visitParameters(visit)
    attention.visitParameters(visit)
    head.visitParameters(visit)
  }

  mutating func visitStatistics(_ visit: (inout Tensor) -> Void) { encoder.visitStatistics(visit) }

  /// One forward pass up to the logits, with everything a backward pass needs.
  private struct Run {
    var squashed: Tensor
    var latents: Tensor
    var encoderTrace: LayerTrace
    var attentionTrace: LayerTrace
    var headTrace: LayerTrace
    var logits: Tensor
  }

  /// Latents of every row, `[rows, 8, side/8, side/8]`, with the squashed design they were made from.
  private func encode(_ design: Tensor, _ pass: NetworkPass) -> (
    squashed: Tensor, output: Tensor, trace: LayerTrace
  ) {
    let squashed = design.logistic()
    let (output, trace) = encoder.forward(layout.image(squashed, filler: 0.5), pass)
    return (squashed, output, trace)
  }

  private func run(_ design: Tensor, _ pass: NetworkPass) -> Run {
    let rows = design.shape[0]
    let (squashed, latents, encoderTrace) = encode(design, pass)
    let cells = design.beside(latents.reshaped([rows, attention.cellCount - columnCount]))
    let (attended, attentionTrace) = attention.forward(cells, pass)
    let (logits, headTrace) = head.forward(attended, pass)
    return Run(
      squashed: squashed, latents: latents, encoderTrace: encoderTrace, attentionTrace: attentionTrace,
      headTrace: headTrace, logits: logits)
  }

  /// The gradient with respect to the design that reaches it through the image.
  private func designGradient(throughImage gradient: Tensor, squashed: Tensor) -> Tensor {
    layout.columns(gradient).times(squashed.plus(squashed.times(squashed), scaledBy: -1))
  }

  func logits(_ design: Tensor) -> Tensor { run(design, .prediction).logits }

  func inputGradient(_ design: Tensor, _ lossGradient: (Tensor) -> Tensor) -> (logits: Tensor, input: Tensor)
  {
    let run = run(design, .prediction)
    let headGradient = head.backward(lossGradient(run.logits), run.headTrace)
    let cells = attention.backward(headGradient.input, run.attentionTrace).input
    let latents = cells.columns(columnCount..<attention.cellCount).reshaped(run.latents.shape)
    let image = encoder.backward(latents, run.encoderTrace).input
    let direct = cells.columns(0..<columnCount)
    return (run.logits, direct.plus(designGradient(throughImage: image, squashed: run.squashed)))
  }

  mutating func trainingPass(
    _ design: Tensor, seed: UInt64, _ loss: (Tensor) -> (value: Double, gradient: Tensor)
  ) -> (loss: Double, gradients: [Tensor]) {
    let run = run(design, .training(seed: seed))
    let (value, logitGradient) = loss(run.logits)
    let (reconstruction, decoderTrace) = decoder.forward(run.latents, .training(seed: seed))
    let error = reconstruction.plus(layout.image(run.squashed, filler: 0.5), scaledBy: -1)
    let pixels = Float(max(1, error.count))
    let squares = error.channelSums(with: error).products.reduce(0, +) / Double(pixels)

    let headGradient = head.backward(logitGradient, run.headTrace)
    let attentionGradient = attention.backward(headGradient.input, run.attentionTrace)
    let decoderGradient = decoder.backward(
      error.scaled(by: 2 * reconstructionWeight / pixels), decoderTrace)
    let latentGradient = attentionGradient.input.columns(columnCount..<attention.cellCount)
      .reshaped(run.latents.shape).plus(decoderGradient.input)
    let encoderGradient = encoder.backward(latentGradient, run.encoderTrace)
    encoder.adoptStatistics(of: run.encoderTrace)
    return (
      value + Double(reconstructionWeight) * squares,
      encoderGradient.parameters + decoderGradient.parameters + attentionGradient.parameters
        + headGradient.parameters
    )
  }

  /// Attention over the cells of every row: design columns, then latents. Rows sum to 1.
  func localAttention(_ design: Tensor) -> (cells: Tensor, columnCount: Int) {
    let latents = encode(design, .prediction).output
    let cells = design.beside(latents.reshaped([design.shape[0], attention.cellCount - columnCount]))
    return (attention.localImportance(cells), columnCount)
  }

  /// The gradient with respect to the design of Σ weights ⊙ latents.
  /// - Parameter weights: `[rows, latents]`.
  func latentGradient(_ design: Tensor, weights: Tensor) -> Tensor {
    let (squashed, output, trace) = encode(design, .prediction)
    let image = encoder.backward(weights.reshaped(output.shape), trace).input
    return designGradient(throughImage: image, squashed: squashed)
  }
}
