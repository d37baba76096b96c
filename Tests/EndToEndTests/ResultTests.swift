import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct ResultTests {
    @Test func whatAProgramWritesForItsResultIsItsOutput() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("good", #"{"run": "echo '{\"n\": [1, \"ü\"]}' > \"$ROUSE_RESULT\""}"#)
        spool.drop("garbled", #"{"run": "echo '{\"n\": ' > \"$ROUSE_RESULT\""}"#)
        spool.drop("large", #"{"run": "(printf '\"'; head -c 2000000 /dev/zero | tr '\\0' x; printf '\"') > \"$ROUSE_RESULT\""}"#)
        spool.drop("link", #"{"run": "ln -s /etc/passwd \"$ROUSE_RESULT\""}"#)
        spool.drop("failed", #"{"run": "echo 7 > \"$ROUSE_RESULT\"; exit 2"}"#)
        for id in ["good", "garbled", "large", "link"] { #expect(spool.outcome(id) == "succeeded", "\(id)") }
        #expect(spool.result(of: "good")?["output"] == ["n": [1, "ü"]])
        #expect(spool.result(of: "good")?["warnings"] == nil)
        for (id, word) in [("garbled", "no JSON"), ("large", "larger"), ("link", "symbolic link")] {
            let result = try #require(spool.result(of: id))
            #expect(result["output"] == nil, "\(id)")
            #expect(result["warnings"]?.array?.first?.string?.contains(word) == true, "\(id): \(result)")
        }
        #expect(spool.finished("failed")?["output"]?.int == 7)
        #expect(spool.result(of: "failed")?["exit_code"]?.int == 2)
        #expect(daemon.stop() == 0)
    }

    @Test func aCopyOfTheResultGoesWhereTheTaskSays() throws {
        let spool = TestSpool()
        spool.configure("queues/limited", #"{"reply_roots": ["\#(spool.path)/replies"]}"#)
        mkdir(spool.path("replies"), 0o700)
        let daemon = TestDaemon(spool)
        spool.drop("a", #"{"run": ["true"], "reply_to": "\#(spool.path)/replies/a.json"}"#)
        spool.drop("b", #"{"run": ["true"], "queue": "limited", "reply_to": "\#(spool.path)/replies/b.json"}"#)
        spool.drop("c", #"{"run": ["true"], "reply_to": "\#(spool.path)/nowhere/c.json"}"#)
        for id in ["a", "b"] {
            #expect(spool.outcome(id) == "succeeded")
            #expect(spool.text("replies/\(id).json") == spool.text("done/\(id)/result.json"))
        }
        // A reply that can't be put is said, and keeps nobody waiting.
        #expect(spool.outcome("c") == "succeeded")
        #expect(spool.tells("reply_failed", of: "c"))
        for (name, path) in [("out", "/tmp/x.json"), ("up", "\(spool.path)/replies/../x.json"), ("beside", "\(spool.path)/replies2/x")] {
            spool.drop(name, #"{"run": ["true"], "queue": "limited", "reply_to": "\#(path)"}"#)
            #expect(spool.rejection(of: name)?["code"]?.string == "reply_not_allowed")
        }
        #expect(daemon.stop() == 0)
    }

    @Test func aProgramReadsItsInputFromTextOrAFile() {
        let spool = TestSpool()
        spool.write("from the file", to: spool.path("input"))
        let daemon = TestDaemon(spool)
        spool.drop("text", #"{"run": ["cat"], "stdin": "line\nü"}"#)
        spool.drop("file", #"{"run": ["cat"], "stdin": {"file": "\#(spool.path)/input"}}"#)
        spool.drop("none", #"{"run": ["cat"]}"#)
        spool.drop("missing", #"{"run": ["cat"], "stdin": {"file": "/does/not/exist"}}"#)
        let large = String(repeating: "0123456789abcdef", count: 50_000)
        spool.drop("large", #"{"run": ["wc", "-c"], "stdin": "\#(large)"}"#)
        for id in ["text", "file", "none", "large"] { #expect(spool.outcome(id) == "succeeded") }
        #expect(spool.text("done/text/log") == "line\nü")
        #expect(spool.text("done/file/log") == "from the file")
        #expect(spool.text("done/none/log") == "")
        #expect(spool.text("done/large/log") == "800000\n")
        #expect(spool.finished("missing")?["error"]?["code"]?.string == "unstartable")
        #expect(daemon.stop() == 0)
    }

    @Test func aSecretFromAFileIsInNoRecord() throws {
        let spool = TestSpool()
        let secret = "s3cr3t-\(UInt64.random(in: 0...UInt64.max))"
        let file = "\(spool.path)-secret"
        spool.write(secret + "\n", to: file)
        defer { unlink(file) }
        spool.configure("queues/default", #"{"env": {"QUEUE_TOKEN": {"from_file": "\#(file)"}}}"#)
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": "[ ${#TOKEN} = \#(secret.utf8.count) ] && [ $TOKEN = $QUEUE_TOKEN ]", "env": {"TOKEN": {"from_file": "\#(file)"}}}"#)
        spool.drop("gone", #"{"run": ["true"], "env": {"TOKEN": {"from_file": "/does/not/exist"}}}"#)
        #expect(spool.outcome("job") == "succeeded")
        let error = try #require(spool.finished("gone")?["error"])
        #expect(error["code"]?.string == "unstartable")
        #expect(error["message"]?.string?.contains("TOKEN") == true)
        #expect(daemon.stop() == 0)
        #expect(Programs.run(["grep", "-r", "-l", "-a", secret, spool.path]).output == "")
    }

    @Test func aJobWorksInADirectoryOfItsOwnUnlessItNamesOne() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("own", #"{"run": "pwd; echo kept > file"}"#)
        spool.drop("named", #"{"run": ["pwd"], "cwd": "/usr"}"#)
        spool.drop("missing", #"{"run": ["pwd"], "cwd": "/does/not/exist"}"#)
        #expect(spool.outcome("own") == "succeeded")
        #expect(spool.text("done/own/log") == "\(spool.path)/running/own/work\n")
        #expect(spool.text("done/own/work/file") == "kept\n")
        #expect(spool.outcome("named") == "succeeded")
        #expect(spool.text("done/named/log") == "/usr\n")
        #expect(!spool.exists("done/named/work"))
        #expect(spool.finished("missing")?["error"]?["code"]?.string == "unstartable")
        #expect(daemon.stop() == 0)
    }

    @Test func aJobKnowsWhoItIs() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("who", #"{"run": "echo $ROUSE_SPOOL $ROUSE_INBOX $ROUSE_JOB_ID $ROUSE_JOB_DIR $ROUSE_ATTEMPT"}"#)
        #expect(spool.outcome("who") == "succeeded")
        #expect(spool.text("done/who/log") == "\(spool.path) \(spool.path)/inbox who \(spool.path)/running/who 1\n")
        #expect(daemon.stop() == 0)
    }

    @Test func aProgramThatIsNotThereCantBeStarted() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("none", #"{"run": ["no-such-program-anywhere"], "retries": 0}"#)
        let result = spool.finished("none")
        #expect(result?["outcome"]?.string == "failed")
        #expect(result?["error"]?["code"]?.string == "unstartable")
        #expect(result?["error"]?["message"]?.string?.contains("no-such-program-anywhere") == true)
        #expect(daemon.stop() == 0)
    }

    @Test func aJobWhoseRunnerIsLostRunsAgainUnlessItSaysToFail() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("again", #"{"run": "echo $ROUSE_ATTEMPT; [ $ROUSE_ATTEMPT = 2 ] || exec sleep 1000"}"#)
        spool.drop("once", #"{"run": "echo $ROUSE_ATTEMPT; exec sleep 1000", "on_crash": "fail"}"#)
        for id in ["again", "once"] {
            #expect(spool.wait { spool.text("running/\(id)/log") == "1\n" })
            let pid = try #require(spool.json("running/\(id)/run.json")?["runner"]?["pid"]?.int)
            kill(Int32(pid), SIGKILL)
        }
        let once = try #require(spool.finished("once"))
        #expect(once["outcome"]?.string == "lost")
        #expect(once["error"]?["retryable"]?.bool == true)
        let again = try #require(spool.finished("again"))
        #expect(again["outcome"]?.string == "succeeded")
        #expect(again["attempts"]?.int == 2)
        #expect(spool.text("done/again/attempts/1/log") == "1\n")
        // A job that was lost can be recovered, as often as it takes.
        spool.drop("help", #"{"recover": "once"}"#)
        #expect(spool.wait { spool.text("running/once/log") == "1\n" || spool.text("running/once/log") == "2\n" })
        spool.drop("end", #"{"cancel": "once"}"#)
        #expect(spool.outcome("once") == "cancelled")
        #expect(daemon.stop() == 0)
        #expect(Programs.processes(ofSpool: spool.path).isEmpty)
    }
}
