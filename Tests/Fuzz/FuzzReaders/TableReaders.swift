// Tables as text, and tables of scores.

import CircuitDiscovery
import Files
import Tables
import Trees

let tableReaders: [FuzzReader] = [
  FuzzReader(name: "csv") { bytes, scratch in
    // The first byte chooses how the rest is read.
    guard let choice = bytes.first else { return }
    var options = TableOptions()
    options.header = [.detected, .present, .absent][Int(choice & 3) % 3]
    options.separator = [nil, 0x2c, 0x09, 0x3b][Int(choice >> 2 & 3)]
    options.task = [.detected, .classification, .regression][Int(choice >> 4 & 3) % 3]
    let path = try scratch.file("t.csv", Array(bytes.dropFirst()))
    let table = try Table(readingFrom: path, options: options)
    guard table.features.values.count == table.features.count * table.rowCount else {
      fatalError("a table of another size than it says")
    }
  },
  FuzzReader(name: "quantised") { bytes, scratch in
    let path = try scratch.file("t.safetensors", bytes)
    let table = try QuantisedTable(path: path)
    var options = BoostingOptions()
    options.rounds = 2
    _ = try TreeEnsemble.boosted(table, options: options, holding: 0.2)
    _ = try TreeEnsemble.boosted(
      table.sample.features, target: table.sample.target, targetName: "y", options: options)
  },
  FuzzReader(name: "heads") { bytes, scratch in
    let path = try scratch.file("heads.csv", bytes)
    _ = try? EdgeTable(path: path)
    _ = try HeadTable(path: path)
  },
]
