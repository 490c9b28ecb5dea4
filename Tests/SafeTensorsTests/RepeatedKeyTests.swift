import Foundation
import Testing

@testable import SafeTensors

struct RepeatedKeyTests {
  @Test(arguments: [
    (#"{"a": 1, "b": {"a": 2, "c": [{"a": 1}, {"a": 2}]}}"#, nil),
    (#"{"a": "a", "b": ["a", "a"], "c": "\"a\": 1"}"#, nil),
    (#"["a", "a"]"#, nil), ("3", nil), (#"{"a": {}, "b": {}, "A": []}"#, nil),
    (#"{"a": 1, "b": 2, "a": 3}"#, "a"),
    (#"{"x": {"a": [1, {"b": 2}], "c": 1, "a": 3}}"#, "a"),
    (#"[{"a": 1}, {"a": [], "a": {}}]"#, "a"),
    (#"{"\"": 1, "\\\"": 2, "\u0022": 3}"#, "\""),
    ("{\"\u{E9}\": 1, \"e\u{301}\": 2}", "\u{E9}"),
  ])
  func findsWhatComesTwice(json: String, expected: String?) throws {
    #expect(try repeatedKey(in: Data(json.utf8)) == expected)
  }
}
