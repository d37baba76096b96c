import CLinux
import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Prompts, notes and wakes of every kind from their drop to their end, whatever happens to the daemon on the way: when
/// it is gone, another one is started, without faults.
final class WakeScenario {
    let spool = TestSpool()
    private let agent: ScriptAgent
    private let gate: String
    private let gateDescriptor: Int32
    private let daemon: RevivedDaemon
    var kills: Int { daemon.kills }

    init() {
        gate = spool.path + "/.gate"
        precondition(mkfifo(gate, 0o600) == 0)
        gateDescriptor = rouse_open(gate, O_RDWR | O_CLOEXEC, 0)
        agent = ScriptAgent(spool, gate: gate)
        daemon = RevivedDaemon(spool) { [spool, agent] in
            let states = (JobState.allCases.map(\.rawValue) + ["inbox", "rejected", ".agent/prompts"]).map { "\($0): \(spool.list($0))" }
            return (states + agent.story + spool.events().suffix(60).map { JSONWriter.text($0) }).joined(separator: "\n")
        }
        spool.configure("queues/work", #"{"slots": 1}"#)
        spool.defineSession("boss", #", "coordinates": {"queues": ["work"]}, "mode": "interrupt_if_waiting""#)
        spool.defineSession("talk")
    }

    deinit { if gateDescriptor >= 0 { close(gateDescriptor) } }

    private func isOver(_ ids: String...) -> Bool { ids.allSatisfy { spool.exists("done/\($0)") || spool.exists("failed/\($0)") } }

    func play(wrapper: [String]) {
        spool.drop("note", #"{"note": "mind the gap", "session": "boss"}"#)
        spool.drop("first", #"{"wake": "boss", "reason": "first"}"#)
        daemon.start(wrapper: wrapper)
        daemon.wait("the first wake") { isOver("note", "first") }
        // A turn that waits is interrupted by what its coordinator is told of.
        spool.drop("asks", #"{"session": "boss", "prompt": "ASK"}"#)
        daemon.wait("a turn that waits") { agent.story.contains { $0.hasPrefix("begin asks") } }
        spool.drop("job", #"{"run": ["true"], "queue": "work", "notify": "talk"}"#)
        spool.drop("fails", #"{"run": "exit 1", "queue": "work"}"#)
        spool.drop("joins", #"{"wake": "boss", "reason": "joins"}"#)
        daemon.wait("jobs, and the wake that they bring about") { isOver("asks", "job", "fails", "joins") }
        spool.drop("again", #"{"retry": "fails"}"#)
        spool.drop("both", #"{"wake": ["boss", "talk"], "reason": "both"}"#)
        daemon.wait("the end of all") {
            isOver("again", "both", "both.0", "both.1") && spool.result(of: "fails")?["attempts"]?.int == 2
                && ["boss", "talk"].allSatisfy { spool.wakes(of: $0).allSatisfy { isOver($0) } }
        }
    }

    // MARK: what must be true

    /// Every reason that anybody has, by session.
    private static let reasons: [String: Set<String>] = [
        "boss": [
            "queued job 0", "queued fails 0", "finished job 1", "failed fails 1", "retried fails 1", "failed fails 2", "requested by first",
            "requested by joins", "requested by both.0",
        ],
        "talk": ["finished job 1", "requested by both.1"],
    ]

    func check(_ label: String) {
        guard !daemon.patienceIsOver else { return }
        daemon.keepAlive()
        checkPlaces(label)
        for session in ["boss", "talk"] {
            checkWakes(of: session, label)
            checkTranscript(of: session, label)
        }
        let noted = agent.prompts.filter { $0.text.hasPrefix("Note: mind the gap") }
        #expect(noted.count == 1, "\(label)")
        daemon.end(label)
    }

    private func checkPlaces(_ label: String) {
        let places = JobState.allCases.flatMap { state in spool.list(state.rawValue).map { ($0, state.rawValue) } }
        for (id, states) in Dictionary(grouping: places, by: \.0) where states.count > 1 { Issue.record("\(label): \(id) is in \(states.map(\.1))") }
        #expect(spool.list("rejected").isEmpty, "\(label)")
        #expect(spool.result(of: "asks")?["outcome"]?.string == "cancelled", "\(label)")
        #expect(spool.result(of: "job")?["outcome"]?.string == "succeeded", "\(label)")
    }

    /// Each reason is recorded once, each wake has an outcome, and each that was sent was heard once.
    private func checkWakes(of session: String, _ label: String) {
        var recorded: [String] = []
        for id in spool.wakes(of: session) {
            let wake = spool.wake(id)
            let outcome = wake?["outcome"]?.string
            let heard = agent.prompts(of: id).count
            switch outcome {
            case "coalesced": #expect(heard == 0, "\(label): \(id)")
            case "stale":
                #expect(heard == 0, "\(label): \(id)")
                #expect(spool.tries(id).allSatisfy { !$0.hasSuffix("sent") }, "\(label): \(id)")
            case "sent":
                #expect(heard == 1, "\(label): \(id)")
                #expect(spool.result(of: id)?["attempts"]?.int == 1, "\(label): \(id)")
                #expect(spool.tries(id).filter { $0.hasSuffix("sent") }.count == 1, "\(label): \(id) \(spool.tries(id))")
            default: Issue.record("\(label): \(id) ended as \(outcome ?? "nothing")")
            }
            let reasons = (wake?["reasons"]?.array ?? []).compactMap(WakeReason.init)
            recorded += reasons.map { $0.mark.split(separator: " ").prefix(3).joined(separator: " ") }
        }
        #expect(recorded.count == Set(recorded).count, "\(label): \(recorded)")
        #expect(Set(recorded) == Self.reasons[session], "\(label): \(session)")
    }

    /// Two lines a turn, each turn once, and no prompt that is not there.
    private func checkTranscript(of session: String, _ label: String) {
        let lines = spool.lines("sessions/\(session)/transcript.jsonl")
        let turns = stride(from: 0, to: lines.count, by: 2).compactMap { lines[$0]["turn"]?.string }
        #expect(lines.map { $0["role"]?.string } == turns.flatMap { _ in ["user", "agent"] }, "\(label)")
        #expect(lines.map { $0["turn"]?.string } == turns.flatMap { [$0, $0] }, "\(label)")
        let heard = agent.prompts.map { String($0.name.dropLast(2)) }.filter { id in
            spool.wakes(of: session).contains(id) || (id == "asks" && session == "boss")
        }
        #expect(turns.sorted() == heard.sorted(), "\(label): \(session)")
        #expect(spool.session(session)?["turns"]?.int == turns.count, "\(label): \(session)")
    }
}
