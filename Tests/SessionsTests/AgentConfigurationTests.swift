import SpoolFormat
import Testing

@Suite struct AgentConfigurationTests {
    @Test("Words in braces are replaced within an argument, and other braces stay")
    func placeholders() {
        let values = ["prompt": "it's; $(x)", "session": "abc"]
        func replaced(_ text: String) -> String { AgentConfiguration.replace(in: text) { values[$0] ?? "?" } }
        #expect(replaced("--resume={session}") == "--resume=abc")
        #expect(replaced("{prompt}") == "it's; $(x)")
        #expect(replaced(#"{"a": {"b": 1}}"#) == #"{"a": {"b": 1}}"#)
        #expect(replaced("{{prompt}") == "{prompt}")
    }
}
