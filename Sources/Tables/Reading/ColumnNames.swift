// What names and orders of columns and categories tell.

import Files

/// Category names in rising order: by value where all are numbers, else by their bytes.
func sortedNames(_ names: Set<String>) -> [String] {
  let numbers = names.compactMap { name in Double(name).map { (value: $0, name: name) } }
  guard numbers.count == names.count else {
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
  return numbers.sorted { ($0.value, $0.name) < ($1.value, $1.name) }.map(\.name)
}

/// The column name nearest to a mistyped one.
func nearestColumn(_ name: String, _ names: [String]) -> String? {
  nearestWord(to: name, among: names)
}

/// Whether cells count the rows, from any number on; some numbers may be left out, where rows were.
func areRowNumbers(_ cells: some BidirectionalCollection<Float>) -> Bool {
  guard let first = cells.first, let last = cells.last else { return false }
  return last - first < 1.25 * Float(cells.count) && zip(cells, cells.dropFirst()).allSatisfy { $1 - $0 >= 1 }
}

/// Whether a column's name says that it holds identifiers: `id`, `PassengerId`, `customer_id`, `ID-Number`, `uuid`.
func namesIdentifiers(_ name: String) -> Bool {
  let lower = name.lowercased()
  if [
    "id", "ids", "index", "idx", "rownames", "uuid", "guid", "key", "rownum", "row", "row_number",
    "row number", "nr", "no",
  ].contains(lower) {
    return true
  }
  var words: [String] = []
  var word = ""
  var previousIsLower = false
  for character in name {
    if character.isLetter || character.isNumber {
      if character.isUppercase, previousIsLower {
        words.append(word)
        word = ""
      }
      word.append(character)
    } else {
      words.append(word)
      word = ""
    }
    previousIsLower = character.isLowercase
  }
  words.append(word)
  let known: Set<String> = ["id", "uuid", "guid", "identifier"]
  return [words.first, words.last].contains { $0.map { known.contains($0.lowercased()) } ?? false }
}
