// A panel that changes a row and runs small models on it in the page.

import Files

/// A panel for the features, row and trees of a `what-if.json`, as `headlamp explain` writes it.
///
/// The script walks the trees itself: thresholds are doubles, a missing cell goes where the tree says.
public func whatIfPanel(_ data: JSONValue) -> HTML {
  // An end tag in a name must not end the script.
  let text = data.line.split(separator: "<", omittingEmptySubsequences: false).joined(separator: "\\u003c")
  let row = data["row"]?.wholeNumber ?? 0
  let hasBlackBox = data["black_box"].map { $0 != .null } ?? false
  return .element(
    "div", ["class": "what-if"],
    [
      .paragraph(
        "Row \(row), with the kept features open to change. "
          + (hasBlackBox
            ? "Both the surrogate and the black box answer here, in the page."
            : "The surrogate answers here, in the page; the black box is too large for it, or not made of trees.")
      ),
      HTML(trusted: "<script type=\"application/json\">\(text)</script>"),
      .element("div", ["class": "fields"], []),
      .element("p", [.element("button", ["type": "button", "class": "reset"], "Back to the row as it is")]),
      .element("div", ["class": "answers", "role": "status", "aria-live": "polite", "tabindex": "0"], []),
    ])
}
