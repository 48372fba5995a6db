// The commands around tasks, as a user meets them.

import Foundation
import TestSupport
import Testing

@Suite struct TaskCommandTests {
  @Test func tasksAreListed() throws {
    let result = try headlamp(["tasks"])
    #expect(result.exitCode == 0)
    for word in ["ioi", "greater-than", "docstring", "induction", "truth ioi:wang: 26 of 144 heads"] {
      #expect(result.output.contains(word))
    }
  }

  @Test func aMistypedTaskIsAnsweredWithTheNearest() throws {
    let result = try headlamp(["generate", "iio", "--model", "nowhere"])
    #expect(result.exitCode == 2)
    #expect(
      result.errors
        == "headlamp: there is no task 'iio', nor a folder or file of that name; did you mean 'ioi'?\n")
  }

  @Test func evaluationNamesItsMeasuresAndItsErrors() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/heads.csv"
      var table = "rank,layer,head,score\n"
      for layer in 0..<4 {
        for head in 0..<8 { table += "1,\(layer),\(head),\(layer == 0 && head == 5 ? 1 : 0)\n" }
      }
      try table.write(toFile: path, atomically: true, encoding: .utf8)
      let good = try headlamp(["evaluate", path, "--truth", "docstring:acdc"])
      #expect(good.exitCode == 0)
      #expect(good.output.contains("6 of 32 heads are true, k = 6"))
      #expect(good.output.contains("trapezoid_auc      0.583"))

      let json = try headlamp(["evaluate", path, path, "--truth", "docstring:acdc", "--json"])
      let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
      let measures = object?["measures"] as? [String: [String: Any]]
      #expect(measures?["pessimistic_auc"]?["standard_deviation"] as? Double == 0)

      let other = try headlamp(["evaluate", path, "--truth", "ioi:wang"])
      #expect(other.exitCode == 1)
      #expect(other.errors.contains("is of a model of 4 layers × 8 heads"))
      let unknown = try headlamp(["evaluate", path, "--truth", "ioi:wnag"])
      #expect(unknown.errors == "headlamp: ioi has no ground truth 'wnag'; did you mean 'wang'?\n")
      let misuse = try headlamp(["evaluate", path, "--truth", "ioi"])
      #expect(misuse.exitCode == 2)

      try (table + "1,4,0,much\n").write(toFile: path, atomically: true, encoding: .utf8)
      let bad = try headlamp(["evaluate", path, "--truth", "docstring:acdc"])
      #expect(bad.errors == "headlamp: \(path), line 34, column score: a number is needed, not 'much'\n")
    }
  }
}
