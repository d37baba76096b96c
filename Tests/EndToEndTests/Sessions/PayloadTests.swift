import Glibc
import SpoolFormat
import Testing
import TestSupport

/// The complete wake of a job that is run again, field by field.
@Suite struct PayloadTests {
    /// Members in the order of their writing, and what cannot be known beforehand replaced by a word.
    private func plain(_ json: JSON?, _ times: [String: String] = [:]) -> String {
        guard let json else { return "nothing" }
        func clean(_ value: JSON) -> JSON {
            if let elements = value.array { return .array(elements.map(clean)) }
            guard let object = value.object else { return value }
            var result = JSONObject()
            for member in object.members {
                result[member.name] = member.name == "at" && member.value.string.flatMap { Timestamp($0) } != nil ? "TIME" : clean(member.value)
            }
            return .object(result)
        }
        return JSONWriter.text(clean(json))
    }

    private func coordinator(_ spool: TestSpool, _ event: String) {
        spool.defineSession("boss", #", "coordinates": {"queues": ["work"]}, "wake_on": ["\#(event)"]"#)
    }

    private let job = #""queue": "work", "labels": {"team": "blue"}, "parent": "plan""#

    /// What every record of the wake says of the one reason.
    private func check(_ spool: TestSpool, _ agent: ScriptAgent, _ wake: String, _ reason: String, _ line: String) throws {
        #expect(plain(spool.json("done/\(wake)/prompt.json")?["reasons"]) == "[\(reason)]")
        #expect(plain(spool.wake(wake)) == #"{"session":"boss","outcome":"sent","attempts":[{"path":"direct","result":"sent","attempt":1,"at":"TIME"}],"reasons":[\#(reason)]}"#)
        let task = try #require(spool.json("done/\(wake)/task.json"))
        #expect(plain(task["cause"]) == reason)
        #expect(task["wake"]?.string == "boss")
        #expect(task["queue"]?.string == "session:boss")
        #expect(task["key"]?.string == "wake:boss")
        #expect(task["mode"]?.string == "queue")
        #expect(plain(.array(spool.lines("done/\(wake)/reasons.jsonl"))) == "[\(reason)]")
        let prompt = try #require(agent.prompts(of: wake).first)
        #expect(prompt.hasPrefix("[Rouse woke the session \"boss\" for one reason. No person wrote this.]\n\n\(line)\n\n"))
        let json = try JSONReader.read(Array(prompt[prompt.range(ofText: "As JSON:\n")...].utf8))
        #expect(plain(json) == #"{"wake":"\#(wake)","coordinator":"boss","reasons":[\#(reason)]}"#)
        #expect(plain(.array(spool.lines("sessions/boss/transcript.jsonl").first?["reasons"]?.array ?? [])) == "[\(reason)]")
    }

    @Test func theWakeOfARetriedJobIsComplete() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool)
        coordinator(spool, "retried")
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": "test $ROUSE_ATTEMPT = 2 && \#(gate.wait) || exit 3", \#(job)}"#)
        #expect(spool.outcome("job") == "failed")
        #expect(agent.prompts.isEmpty)
        spool.drop("again", #"{"retry": "job"}"#)
        #expect(spool.wait { spool.session("boss")?["turns"]?.int == 1 })
        let wake = try #require(spool.wakes(of: "boss").first)
        #expect(spool.outcome(wake) == "succeeded")
        let summary = "test $ROUSE_ATTEMPT = 2 && \(gate.wait) || exit 3"
        try check(
            spool, agent, wake,
            #"{"reason":"retried","at":"TIME","job":"job","queue":"work","summary":"\#(summary)","labels":{"team":"blue"},"parent":"plan","attempts":1,"by":"again"}"#,
            "- job job of the queue work is to run again: again retried it — \(summary)")
        gate.open()
        #expect(spool.outcome("job") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func theWakeOfARecoveredJobIsComplete() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool)
        coordinator(spool, "recovered")
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": "\#(gate.wait)", \#(job)}"#)
        #expect(spool.reaches("running", "job"))
        spool.drop("again", #"{"recover": "job"}"#)
        #expect(spool.wait { spool.session("boss")?["turns"]?.int == 1 })
        let wake = try #require(spool.wakes(of: "boss").first)
        #expect(spool.outcome(wake) == "succeeded")
        try check(
            spool, agent, wake,
            #"{"reason":"recovered","at":"TIME","job":"job","queue":"work","summary":"\#(gate.wait)","labels":{"team":"blue"},"parent":"plan","attempts":1,"by":"again"}"#,
            "- job job of the queue work is to run again: it was recovered by again — \(gate.wait)")
        gate.open()
        #expect(spool.outcome("job") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func theWakeOfAJobWhoseRunnerWasLostIsComplete() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool)
        coordinator(spool, "recovered")
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": "\#(gate.wait)", \#(job)}"#)
        #expect(spool.wait { spool.exists("running/job/log") })
        let runner = try #require(spool.json("running/job/run.json")?["runner"]?["pid"]?.int)
        kill(Int32(runner), SIGKILL)
        #expect(spool.wait { spool.session("boss")?["turns"]?.int == 1 })
        let wake = try #require(spool.wakes(of: "boss").first)
        #expect(spool.outcome(wake) == "succeeded")
        try check(
            spool, agent, wake,
            #"{"reason":"recovered","at":"TIME","job":"job","queue":"work","summary":"\#(gate.wait)","labels":{"team":"blue"},"parent":"plan","attempts":1}"#,
            "- job job of the queue work is to run again: it was recovered — \(gate.wait)")
        gate.open()
        #expect(spool.outcome("job") == "succeeded")
        #expect(daemon.stop() == 0)
    }
}

extension String {
    /// Where what follows this text begins.
    fileprivate func range(ofText text: String) -> Index {
        var start = startIndex
        while start < endIndex, !self[start...].hasPrefix(text) { start = index(after: start) }
        return start == endIndex ? endIndex : index(start, offsetBy: text.count)
    }
}
