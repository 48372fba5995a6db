// One of several pieces of a page, chosen by a reader.

/// Pieces of which one is shown at a time; without a script all are.
public func choice(of name: String, id: String, _ pieces: [(title: String, content: HTML)]) -> HTML {
  let options = pieces.enumerated().map { place, piece in
    HTML.element("option", ["value": "\(place)"], piece.title)
  }
  return HTML([
    .element(
      "label",
      [
        HTML(name + " "),
        .element("select", ["data-choice": id], options),
      ]),
    .element(
      "div", ["id": id],
      pieces.map { .element("div", ["class": "piece"], [$0.content]) }),
  ])
}
