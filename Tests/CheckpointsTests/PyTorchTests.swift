// PyTorch checkpoints; fixtures written by Golden/make_pytorch.py.

@testable import Checkpoints
import Files
import Foundation
import TestSupport
import Testing

import Tensors

@Suite struct PyTorchTests {
  static func path(_ name: String) -> String { packageFolder + "/Tests/CheckpointsTests/Golden/" + name }

  /// All tensors of floating-point numbers, widened, equal what safetensors holds of them.
  @Test(arguments: ["gpt2-style.bin", "wrapped.pth"]) func tensorsEqualSafetensors(name: String) throws {
    let expected = try SafetensorsFile(path: Self.path("gpt2-style.safetensors"))
    let file = try SafetensorsFile(pyTorchPath: Self.path(name))
    #expect(file.names == expected.names)
    for tensor in file.names where !["ids", "h.0.attn.bias"].contains(tensor) {
      #expect(try file.tensor(tensor) == expected.tensor(tensor), "\(tensor)")
    }
    #expect(try file.integers("ids") == Array(0..<300))
    #expect(try file.integers("h.0.attn.bias") == [1, 0, 0, 1, 1, 0, 1, 1, 1])
    #expect(try file.rows(1..<3, of: "part") == expected.rows(1..<3, of: "part"))
    #expect(file.isReadInPlace("wte.weight"))
    #expect(!file.isReadInPlace("h.0.attn.c_attn.weight"))
  }

  @Test func stateDictionaryOfAModule() throws {
    let file = try SafetensorsFile(pyTorchPath: Self.path("module.pt"))
    #expect(file.names == ["0.bias", "0.weight", "1.bias", "1.weight"])
    #expect(try file.tensor("1.weight", shape: [2]).values == [1, 1])
  }

  /// A dictionary with texts, numbers and lists beside its tensors, one of which holds NaN.
  @Test func plainDataBesideTensors() throws {
    let path = packageFolder + "/Tests/CausalMethodsTests/Golden/eap-ig-nodes.pt"
    let plain = try plainData(ofPyTorchFileAt: path)
    #expect(plain["cfg"]?.line == #"{"n_layers": 2, "n_heads": 2, "parallel_attn_mlp": true, "d_model": 8}"#)
    #expect(plain["src_nodes"]?.elements?.first == .string("input"))
    #expect(plain["nodes_scores"] == .null)
    let file = try SafetensorsFile(pyTorchPath: path)
    let numbers = try file.uncheckedNumbers("nodes_scores")
    #expect(numbers.count == 7 && numbers[0].isNaN && numbers.dropFirst().allSatisfy(\.isFinite))
    #expect(throws: CheckpointError.notFinite(path: path, tensor: "nodes_scores", index: 0)) {
      try file.tensor("nodes_scores")
    }
    #expect(throws: CheckpointError.self) { try plainData(ofPyTorchFileAt: Self.path("os-system.pth")) }
  }

  @Test func writtenByHand() throws {
    let file = try SafetensorsFile(pyTorchPath: Self.path("sound.pth"))
    #expect(try file.tensor("weight", shape: [2, 2]).values == [0, 0, 0, 0])
  }

  @Test(arguments: [
    ("os-system.pth", "'posix.system'"), ("eval.pth", ".eval'"),
    ("absurd-shape.pth", "impossible shape"), ("beyond-storage.pth", "more numbers than the 4"),
    ("overlapping.pth", "more numbers than the 4"), ("compressed.pth", "is compressed (method 8)"),
    ("unknown-operation.pth", "operation 0x92"), ("deep.pth", "too deeply"),
    ("gpt2-style.safetensors", "no zip file"),
  ]) func refused(name: String, reason: String) throws {
    let error = #expect(throws: CheckpointError.self) { try SafetensorsFile(pyTorchPath: Self.path(name)) }
    guard case .malformed(_, let problem) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(problem.contains(reason), "\(problem)")
  }

  @Test func modelFolders() throws {
    for name in ["pytorch_model.bin", "model.pth", "checkpoint.pt"] {
      try withTemporaryFolder { folder in
        try FileManager.default.copyItem(atPath: Self.path("gpt2-style.bin"), toPath: folder + "/" + name)
        #expect(try SafetensorsCheckpoint(folder: folder).contains("wte.weight"), "\(name)")
      }
    }
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(atPath: Self.path("gpt2-style.bin"), toPath: folder + "/shard-1.bin")
      try FileManager.default.copyItem(atPath: Self.path("module.pt"), toPath: folder + "/shard-2.bin")
      let index = #"{"weight_map": {"wte.weight": "shard-1.bin", "0.weight": "shard-2.bin"}}"#
      try writeFile(index, to: folder + "/pytorch_model.bin.index.json")
      #expect(try SafetensorsCheckpoint(folder: folder).names == ["0.weight", "wte.weight"])
    }
  }

  /// Truncated anywhere, and with bytes changed at random, a checkpoint is read or refused, never more.
  @Test(arguments: ["gpt2-style.bin", "sound.pth"]) func damagedFiles(name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.path(name)))
    var generator = SeededGenerator(seed: 11)
    var refused = 0
    for trial in 0..<1500 {
      var bytes = [UInt8](whole)
      if trial % 3 == 0 {
        bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
      } else {
        // The pickle and the directory are where a change can matter.
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          let isAtStart = Bool.random(using: &generator)
          let range = isAtStart ? 0..<min(1600, bytes.count) : max(0, bytes.count - 1200)..<bytes.count
          bytes[Int.random(in: range, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
      }
      do {
        let entries = try bytes.withUnsafeBytes { try PyTorchCheckpoints.entries($0) }
        #expect(entries.values.allSatisfy { $0.byteRange.upperBound <= bytes.count })
      } catch {
        refused += 1
      }
    }
    #expect(refused > 500)
  }
}
