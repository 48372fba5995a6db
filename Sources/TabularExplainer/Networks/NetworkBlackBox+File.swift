// A network as a safetensors file: weights as tensors, everything else as JSON in the header.

import Checkpoints
import FoundationEssentials
import Tensors

extension NetworkBlackBox {
  /// What the header tells, next to the weights.
  private struct Description: Codable {
    var outputNames: [String]
    var architecture: NetworkArchitecture
    var encoder: DesignEncoder
    var seed: UInt64
    var output: Output
    var layout: SquareLayout?
  }

  private static let formatName = "headlamp-network-1"

  /// Writes the network atomically; the same network always gives the same bytes.
  /// - Throws: `FileError`.
  public func write(to path: String) throws {
    let layout = (network as? ConvolutionalAttentionNetwork)?.layout
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let description = Description(
      outputNames: outputNames, architecture: architecture, encoder: self.encoder, seed: seed, output: output,
      layout: layout)
    var tensors: [String: SafetensorsValue] = [:]
    for (index, tensor) in network.parameters.enumerated() { tensors["parameter.\(index)"] = .float(tensor) }
    for (index, tensor) in network.statistics.enumerated() { tensors["statistic.\(index)"] = .float(tensor) }
    try writeSafetensors(
      tensors,
      metadata: [
        "format": Self.formatName, "model": String(decoding: try encoder.encode(description), as: UTF8.self),
      ], to: path)
  }

  /// Reads a network that `write(to:)` wrote.
  /// - Throws: `FileError`, `CheckpointError`, or `ModelFileError.malformed` where the header does not describe a network.
  public init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    func malformed(_ problem: String) -> ModelFileError {
      .malformed(path: path, format: .headlamp, problem: problem)
    }
    guard file.metadata["format"] == Self.formatName, let text = file.metadata["model"] else {
      throw malformed("its header does not describe a network")
    }
    guard let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8)) else {
      throw malformed("the network's description cannot be read")
    }
    let columns = description.encoder.columnCount
    guard !description.outputNames.isEmpty, columns > 0, description.architecture.isSound,
      description.encoder.isSound,
      description.layout.map({ $0.isSound && $0.pixelOfColumn.count == columns }) ?? true
    else { throw malformed("the network's description contradicts itself") }
    var network = description.architecture.makeNetwork(
      columnCount: columns, layout: description.layout, outputs: description.outputNames.count, seed: 0)
    var index = 0
    var failure: (any Error)?
    network.visitParameters { parameter in
      do { parameter = try file.tensor("parameter.\(index)", shape: parameter.shape) } catch {
        failure = error
      }
      index += 1
    }
    index = 0
    network.visitStatistics { statistic in
      do { statistic = try file.tensor("statistic.\(index)", shape: statistic.shape) } catch {
        failure = error
      }
      index += 1
    }
    if let failure { throw failure }
    self.init(
      outputNames: description.outputNames, architecture: description.architecture,
      encoder: description.encoder, seed: description.seed, output: description.output, network: network)
  }
}

extension NetworkArchitecture {
  /// Whether a network of this shape can be built: a guard against files with absurd numbers.
  fileprivate var isSound: Bool {
    func fits(_ width: Int) -> Bool { width > 0 && width <= 1 << 16 }
    switch self {
    case .perceptron(let shape): return shape.hidden.count <= 64 && shape.hidden.allSatisfy(fits)
    case .convolutionalAttention(let shape):
      return fits(shape.hidden) && (1...64).contains(shape.headCount) && (1...256).contains(shape.rank)
    }
  }
}

extension SquareLayout {
  /// Whether pixels and columns point at each other.
  fileprivate var isSound: Bool {
    side > 0 && side % 8 == 0 && side <= 1 << 12 && columnAtPixel.count == side * side
      && pixelOfColumn.enumerated().allSatisfy { column, pixel in
        columnAtPixel.indices.contains(pixel) && columnAtPixel[pixel] == column
      } && columnAtPixel.allSatisfy { $0 >= -1 && $0 < pixelOfColumn.count }
  }
}
