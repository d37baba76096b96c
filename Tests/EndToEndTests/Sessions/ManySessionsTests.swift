import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct ManySessionsTests {
    @Test func aThousandColdSessionsAreAllThere() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        let names = (0..<1000).map { "s\($0)" }
        for name in names { spool.defineSession(name, #", "coordinates": {"queues": ["q-\#(name)"]}"#) }
        let daemon = TestDaemon(spool)
        #expect(spool.wait { names.allSatisfy { spool.exists("sessions/\($0)/state.json") } })
        #expect(names.allSatisfy { spool.json("sessions/\($0)/session.json")?["agent"]?.string == "script" })
        #expect(names.allSatisfy { spool.session($0)?["state"]?.string == "cold" })
        daemon.send(SIGUSR1)
        spool.drop("job", #"{"run": ["true"], "notify": "s999"}"#)
        #expect(spool.wait { spool.session("s999")?["turns"]?.int == 1 })
        #expect(agent.prompts.count == 1)
        #expect(daemon.stop() == 0)
    }

    @Test func oneSlowSessionDelaysNoOther() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        for name in ["slow", "deaf", "quick"] { spool.defineSession(name) }
        let daemon = TestDaemon(spool)
        spool.drop("slow-1", #"{"session": "slow", "prompt": "GATE"}"#)
        spool.drop("deaf-1", #"{"session": "deaf", "prompt": "STUBBORN"}"#)
        #expect(agent.comes(to: "begin slow-1"))
        #expect(spool.session("deaf", reaches: "waiting"))
        // One that hangs in its interrupt, one that works in silence, each with wakes on the way.
        spool.drop("interrupt", #"{"interrupt": "deaf"}"#)
        #expect(agent.comes(to: "interrupted deaf-1"))
        for name in ["slow", "deaf"] { spool.drop("wake-\(name)", #"{"wake": "\#(name)", "mode": "interrupt_if_waiting"}"#) }
        for number in 1...5 {
            spool.drop("wake-\(number)", #"{"wake": "quick", "reason": "number \#(number)"}"#)
            #expect(spool.outcome("wake-\(number)") == "succeeded")
            spool.drop("prompt-\(number)", #"{"session": "quick", "prompt": "x"}"#)
            #expect(spool.outcome("prompt-\(number)") == "succeeded")
        }
        #expect(["slow-1", "deaf-1"].allSatisfy { spool.state(of: $0) == "running" })
        gate.open(2)
        #expect(spool.outcome("wake-slow") == "succeeded")
        #expect(spool.outcome("wake-deaf") == "succeeded")
        #expect(daemon.stop() == 0)
    }
}
