// Files that probes read: fields of prompts, and what is normal.

import Files
import Probes
import Tensors

let probeReaders: [FuzzReader] = [
  FuzzReader(name: "fields") { bytes, scratch in
    let file = try FieldFile(path: scratch.file("f.csv", bytes))
    for name in file.names { _ = try? ProbeTarget(field: name, values: file.records.map { $0[name] }) }
  },
  FuzzReader(name: "normality") { bytes, scratch in
    let model = try Normality(path: scratch.file("n.safetensors", bytes))
    for part in model.parts {
      _ = part.spread.tail(part.spread.threshold(rate: 0.01))
      _ = part.gaussian.scores(.init(rows: 1, columns: part.gaussian.width))
    }
  },
]
