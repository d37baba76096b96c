import Testing

@testable import SpoolFormat

@Suite struct TaskReaderTests {
    @Test(arguments: [
        (#"{"run":"a","timout":"5s"}"#, "timeout"), (#"{"run":"a","Timeout":"5s"}"#, "timeout"),
        (#"{"run":"a","onCrash":"fail"}"#, "on_crash"), (#"{"run":"a","not-before":"x"}"#, "not_before"),
        (#"{"run":"a","depends_on":[]}"#, "after"), (#"{"run":"a","environment":{}}"#, "env"),
        (#"{"run":"a","workdir":"/"}"#, "cwd"), (#"{"run":"a","retrys":1}"#, "retries"), (#"{"run":"a","label":{}}"#, "labels"),
        (#"{"run":"a","prio":1}"#, "priority"), (#"{"run":"a","ttl":"1h"}"#, "expires_in"), (#"{"Run":"a"}"#, "run"),
        (#"{"exec":"a"}"#, "run"), (#"{"cmd":"a"}"#, "run"), (#"{"Cancel":"a"}"#, "cancel"), (#"{"relase":"a"}"#, "release"),
        (#"{"run":"a","retry":3}"#, "retries"), (#"{"run":"a","limits":{"memroy":1}}"#, "memory"),
        (#"{"run":"a","backoff":{"fctor":1}}"#, "factor"), (#"{"run":"a","env":{"A":{"file":"/x"}}}"#, "from_file"),
        (#"{"run":"a","on_crash":"Fail"}"#, "fail"), (#"{"run":"a","priority":"hihg"}"#, "high"),
        (#"{"cancel":{"labels":{"a":"b"}}}"#, "label"), (#"{"tasks":[{"run":"a","name":"b"}]}"#, "id"),
        (#"{"run":"a","timeout":90}"#, "90s"), (#"{"run":"a","timeout":"90"}"#, "90s"), (#"{"run":"a","env":{"A":1}}"#, "1"),
    ])
    func hintsAtWhatWasMeant(_ text: String, _ word: String) {
        #expect(fault(text)?.hint?.contains("\"\(word)\"") == true, "\(text): \(fault(text)?.hint ?? "no hint")")
    }

    @Test(arguments: [#"{"run":"a","zebra":1}"#, #"{"run":"a","x":1}"#, #"{"run":"a","":1}"#, #"{"run":"a","on_crash":"whatever"}"#])
    func hintsAtNothingWhereNothingIsNear(_ text: String) { #expect(fault(text) != nil && fault(text)?.hint == nil) }

    @Test(arguments: [
        (#"{"run":"a","timeout":90}"#, "timeout is 90, not a duration of at least 1ms such as \"90s\", \"30m\", \"2h\" or \"1d\""),
        (#"{"run":"a","retries":"3"}"#, "retries is \"3\", not a whole number from 0 to 1000"),
        (#"{"run":[]}"#, "run is an empty array, not an array of strings, or a string for /bin/sh -c"),
        (#"{"run":"a","zebra\n":1}"#, "\"zebra\\n\" is not a field that is known here"),
        (#"{"prompt":"a"}"#, "the prompt says neither \"session\" nor \"agent\""),
        (#"{"pipeline":"a"}"#, "\"pipeline\" is not in this version"),
        (#"{"cancel":"a","queue":"b"}"#, "\"queue\" does not go with \"cancel\""),
        ("[1]", "the file is an array of 1, not a JSON object with one verb"),
    ])
    func saysWhatIsWrong(_ text: String, _ message: String) { #expect(fault(text)?.message == message) }

    @Test func readsEveryField() throws {
        let file = try task(
            #"""
            {"run": "make", "queue": "q", "priority": "high", "key": "k", "on_duplicate": "replace", "after": "a",
             "after_failed": "run", "delay": "1h30m", "expires_in": "2d", "timeout": "90s", "grace": "0s", "retries": 3.0,
             "backoff": {"base": "1h"}, "cwd": "/", "env": {"A": "b", "S": {"from_file": "/s"}}, "stdin": {"file": "/f"},
             "on_crash": "fail", "reply_to": "/r", "limits": {"memory": "2G", "log_bytes": 4096}, "labels": {"a": "b"},
             "parent": "p", "notify": ["s", "t", "s"]}
            """#)
        #expect(file.verb == .run(["/bin/sh", "-c", "make"]))
        let options = file.options
        #expect(options.queue == "q" && options.priority == 50 && options.key == "k" && options.onDuplicate == .replace)
        #expect(options.after == [.name("a")] && options.afterFailed == .run && options.delay == .minutes(90))
        #expect(options.expiresIn == .days(2) && options.timeout == .seconds(90) && options.grace == .seconds(0))
        #expect(options.retries == 3 && options.backoff?.base == .hours(1) && options.backoff?.max == .hours(1))
        #expect(options.env == ["A": .text("b"), "S": .file("/s")] && options.stdin == .file("/f") && options.onCrash == .fail)
        #expect(options.limits?.memory == 2 << 30 && options.limits?.logBytes == 4096 && options.labels == ["a": "b"])
        #expect(options.parent == "p" && options.cwd == "/" && options.replyTo == "/r" && options.notify == ["s", "t"])
    }

    @Test func readsSelectors() throws {
        #expect(try task(#"{"hold":"a"}"#).verb == .control(.hold, .job("a")))
        #expect(try task(#"{"hold":{"queue":"a"}}"#).verb == .control(.hold, .queue("a")))
        #expect(try task(#"{"hold":{"session":"a"}}"#).verb == .control(.hold, .session("a")))
        #expect(try task(#"{"hold":{"label":{"a":"b"}}}"#).verb == .control(.hold, .labels(["a": "b"])))
        #expect(try task(#"{"hold":{"label":"a=b=c"}}"#).verb == .control(.hold, .labels(["a": "b=c"])))
        #expect(try task(#"{"hold":{"label":"a="}}"#).verb == .control(.hold, .labels(["a": ""])))
    }

    @Test func fillsOptionsFromDefaults() throws {
        let defaults = try TaskReader.readOptions(
            try JSONReader.read(
                #"{"timeout":"5s","delay":"1m","expires_in":"1h","env":{"A":"1","B":"2"},"labels":{"a":"1"},"limits":{"memory":5,"processes":6}}"#),
            at: JSONPath([.name("defaults")]))
        let own = try task(
            #"{"run":"a","not_before":"2026-11-21T22:00:00Z","env":{"B":"3"},"labels":{"b":"2"},"limits":{"memory":7},"retries":0}"#
        ).options
        let both = own.filled(from: defaults)
        #expect(both.timeout == .seconds(5) && both.retries == 0)
        #expect(both.delay == nil && both.notBefore != nil && both.expiresIn == .hours(1))
        #expect(both.env == ["A": .text("1"), "B": .text("3")])
        #expect(both.labels == ["a": "1", "b": "2"])
        #expect(both.limits?.memory == 7 && both.limits?.processes == 6)
        #expect(own.filled(from: TaskOptions()) == own)
        #expect(TaskOptions().filled(from: defaults) == defaults)
    }

    @Test(arguments: [(#"{"run":"a"}"#, "run"), (#"{"prompt":"a"}"#, "prompt"), (#"{"budget":{}}"#, "budget")])
    func takesNoVerbAsADefault(_ text: String, _ name: String) throws {
        let value = try JSONReader.read(text)
        let fault = #expect(throws: TaskFault.self) { try TaskReader.readOptions(value, at: JSONPath([.name("defaults")])) }
        #expect(fault?.code == "field_not_allowed" && fault?.path.description == "defaults." + name)
    }

    @Test func normalisesOnce() throws {
        var tasks = RandomTasks(seed: 1)
        for _ in 0..<2000 {
            let value = tasks.task()
            let file: TaskFile
            do throws(TaskFault) { file = try TaskReader.read(value) } catch {
                // Two fields were drawn that don't go together.
                #expect(error.message.contains("would expire") || error.path.description.contains("after["), "\(error) \(JSONWriter.text(value))")
                continue
            }
            #expect(try TaskReader.read(file.json) == file)
            #expect(try TaskReader.read(file.json).json == file.json)
        }
    }
}
