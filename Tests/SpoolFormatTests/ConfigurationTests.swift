import Testing

@testable import SpoolFormat

@Suite struct ConfigurationTests {
    static let goodQueues = [
        "{}", #"{"slots":0}"#, #"{"slots":4,"defaults":{"timeout":"5m","env":{"A":"b"}},"keep":{"time":"7d","count":10}}"#,
        #"{"accept":{"verbs":["run","prompt"],"agents":["reviewer"],"uids":[0,1001]}}"#, #"{"accept":{}}"#, #"{"accept":{"uids":[]}}"#,
        #"{"env":{"A":{"from_file":"/s"}},"reply_roots":["/srv","/"],"mode":"1733","group":"ci-users"}"#, #"{"mode":"700"}"#,
    ]

    static let badQueues: [(String, String)] = [
        (#"{"slots":-1}"#, "slots"), (#"{"slots":"4"}"#, "slots"), (#"{"slots":1.5}"#, "slots"), (#"{"slot":1}"#, "slot"),
        (#"{"defaults":{"run":"a"}}"#, "defaults.run"), (#"{"defaults":{"timeout":5}}"#, "defaults.timeout"), (#"{"defaults":[]}"#, "defaults"),
        (#"{"accept":{"verbs":["Run"]}}"#, "accept.verbs[0]"), (#"{"accept":{"verbs":"run"}}"#, "accept.verbs"),
        (#"{"accept":{"uids":[0,-1]}}"#, "accept.uids[1]"), (#"{"accept":{"uids":[4294967295]}}"#, "accept.uids[0]"),
        (#"{"accept":{"uid":[0]}}"#, "accept.uid"), (#"{"accept":{"agents":[""]}}"#, "accept.agents[0]"), (#"{"accept":null}"#, "accept"),
        (#"{"env":{"A":1}}"#, "env.A"), (#"{"keep":"7d"}"#, "keep"), (#"{"keep":{"time":7}}"#, "keep.time"), (#"{"keep":{"count":-1}}"#, "keep.count"),
        (#"{"keep":{"days":7}}"#, "keep.days"), (#"{"reply_roots":["srv"]}"#, "reply_roots[0]"), (#"{"reply_roots":"/srv"}"#, "reply_roots"),
        (#"{"mode":1733}"#, "mode"), (#"{"mode":"0888"}"#, "mode"), (#"{"mode":"17777"}"#, "mode"), (#"{"mode":"0o700"}"#, "mode"),
        (#"{"group":""}"#, "group"), (#"{"group":"-a"}"#, "group"), (#"{"group":5}"#, "group"), ("[]", ""),
    ]

    static let goodSchedules = [
        #"{"cron":"0 3 * * *","task":{"run":["true"]}}"#, #"{"every":"1h","task":{"cancel":{"queue":"a"}},"missed":"skip"}"#,
        #"{"every":"1s","timezone":"Europe/Berlin","task":{"tasks":[{"run":"a"}]},"queue":"q","missed":"all"}"#,
        #"{"cron":"@daily","timezone":"Etc/GMT+1","task":{"run":"a","labels":{"x":"y"}},"missed":"once"}"#,
    ]

    static let badSchedules: [(String, String)] = [
        ("{}", ""), (#"{"cron":"* * * * *"}"#, ""), (#"{"task":{"run":"a"}}"#, ""), (#"{"cron":"a","every":"1h","task":{"run":"a"}}"#, "every"),
        (#"{"every":60,"task":{"run":"a"}}"#, "every"), (#"{"every":"0s","task":{"run":"a"}}"#, "every"), (#"{"cron":"","task":{"run":"a"}}"#, "cron"),
        (#"{"cron":["*"],"task":{"run":"a"}}"#, "cron"), (#"{"every":"1h","task":{"timeout":"5s"}}"#, "task"), (#"{"every":"1h","task":"a"}"#, "task"),
        (#"{"every":"1h","task":{"run":"a","timout":"5s"}}"#, "task.timout"), (#"{"every":"1h","task":{"tasks":[{"run":5}]}}"#, "task.tasks[0].run"),
        (#"{"every":"1h","task":{"run":"a"},"missed":"never"}"#, "missed"), (#"{"every":"1h","task":{"run":"a"},"timezone":"../x"}"#, "timezone"),
        (#"{"every":"1h","task":{"run":"a"},"timezone":"/etc"}"#, "timezone"), (#"{"every":"1h","task":{"run":"a"},"queue":"a b"}"#, "queue"),
        (#"{"every":"1h","task":{"run":"a"},"tz":"UTC"}"#, "tz"), (#"{"every":"1h","task":{"run":"a"},"queue":null}"#, "queue"),
    ]

    @Test(arguments: goodQueues) func readsQueues(_ text: String) throws {
        _ = try QueueConfiguration.read(try JSONReader.read(text))
    }

    @Test(arguments: badQueues) func rejectsQueues(_ text: String, _ field: String) throws {
        let value = try JSONReader.read(text)
        let fault = #expect(throws: TaskFault.self) { try QueueConfiguration.read(value) }
        #expect(fault?.path.description == field)
    }

    @Test(arguments: goodSchedules) func readsSchedules(_ text: String) throws {
        let value = try JSONReader.read(text)
        #expect(try ScheduleConfiguration.read(value).task == value["task"])
    }

    @Test(arguments: badSchedules) func rejectsSchedules(_ text: String, _ field: String) throws {
        let value = try JSONReader.read(text)
        let fault = #expect(throws: TaskFault.self) { try ScheduleConfiguration.read(value) }
        #expect(fault?.path.description == field)
    }

    @Test func readsWhatAQueueSays() throws {
        let queue = try QueueConfiguration.read(
            try JSONReader.read(
                #"{"slots":3,"defaults":{"retries":2},"accept":{"verbs":["run"],"uids":[7]},"env":{"A":"b"},"keep":{"time":"1d","count":5},"reply_roots":["/r"],"mode":"1733","group":"g"}"#))
        #expect(queue.slots == 3 && queue.defaults.retries == 2 && queue.accept == .init(verbs: ["run"], uids: [7]))
        #expect(queue.environment == ["A": .text("b")] && queue.keepTime == .days(1) && queue.keepCount == 5)
        #expect(queue.replyRoots == ["/r"] && queue.mode == 0o1733 && queue.group == "g")
        #expect(try ScheduleConfiguration.read(try JSONReader.read(Self.goodSchedules[0])).missed == .once)
    }

    @Test func pointsIntoAConfigurationFile() throws {
        let text = Array("{\n  \"slots\": 2,\n  \"keep\": {\"time\": 7}\n}\n".utf8)
        let value = try JSONReader.read(text)
        let fault = try #require(#expect(throws: TaskFault.self) { try QueueConfiguration.read(value) })
        let record = RejectionRecord(fault, file: "builds.json", text: text)
        #expect(record.position?.line == 3 && record.position?.column == 20 && record.field == "keep.time")
    }
}
