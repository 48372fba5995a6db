// RFC 4180, section 2: what is quoted, and how.

import Reports
import Testing

@Suite struct CSVWriterTests {
  @Test func quotesWhatNeedsQuotes() {
    var document = CSVDocument(header: ["a", "b, c", "d"])
    document.append([.text("say \"hi\""), .text("two\nlines"), .number(0.1)])
    document.append([.empty, .integer(-3), .boolean(true)])
    #expect(document.text == "a,\"b, c\",d\n\"say \"\"hi\"\"\",\"two\nlines\",0.1\n,-3,true\n")
  }

  @Test func aMissingNumberIsAnEmptyCell() {
    var document = CSVDocument(header: ["x"])
    document.append([.number(.nan)])
    #expect(document.text == "x\n\n")
  }
}
