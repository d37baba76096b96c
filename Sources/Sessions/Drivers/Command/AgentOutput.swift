import SpoolFormat

/// What a `command` agent writes on stdout, read by the rules of its configuration as it comes.
struct AgentOutput {
    private let rules: OutputRules
    private let events: SessionEvents
    private var lines = LineSplitter()
    private var document = JSONDocument()
    private let lostPattern: LinePattern
    /// Lines that are no JSON.
    private(set) var words: LastWords

    private(set) var answer = BoundedText()
    private(set) var session: String?
    private(set) var usage = Usage()
    private(set) var error: String?
    private(set) var status: Int?
    private(set) var hasSucceeded = false
    /// It has said that its turn is over.
    private(set) var isOver = false
    private(set) var errorTellsLostSession = false
    /// Anything that could be read.
    private(set) var hasSaidAnything = false
    /// It has told of work, or of an answer: it has its session.
    private(set) var hasWorked = false
    private(set) var warnings: [String] = []

    init(_ rules: OutputRules, events: SessionEvents) {
        self.rules = rules
        self.events = events
        words = LastWords(rules)
        lostPattern = LinePattern(rules.lostSessionPattern)
    }

    /// - Parameter bytes: what was read at once. What they tell of is written at once, too.
    mutating func take(_ bytes: [UInt8]) {
        switch rules.format {
        case .text: answer.append(bytes)
        case .json: document.append(bytes)
        case .jsonLines: break
        }
        let complete = lines.take(bytes)
        events.together { for line in complete { take(line: line) } }
    }

    /// Everything has come.
    mutating func finish() {
        if let line = lines.finish() { take(line: line) }
        if rules.format == .json {
            for line in document.noise { words.take(line: line) }
            if let value = document.value {
                hasSaidAnything = true
                read(value)
            } else if !document.isEmpty {
                warnings.append("the agent's output is not the JSON that its configuration says")
            }
        }
        if lines.dropped > 0, rules.format == .jsonLines {
            warnings.append("\(lines.dropped) lines of the agent were longer than \(LineSplitter.longest >> 20) MiB and were left out")
        }
        if answer.wasCut { warnings.append("the answer is longer than 1 MiB; its end is kept") }
    }

    private mutating func take(line: [UInt8]) {
        if rules.format == .jsonLines, let value = AgentJSON.object(onLine: line) {
            hasSaidAnything = true
            events.append(fromAgent: "update", ["update": value])
            return read(value)
        }
        // Of a document it shows only at its end what is noise.
        if rules.format == .json { return }
        words.take(line: line, isAnswer: rules.format == .text)
        if rules.format == .text, !line.isEmpty {
            hasSaidAnything = true
            hasWorked = true
            events.append(fromAgent: "output", ["text": .string(String(decoding: line, as: UTF8.self))])
        }
    }

    /// An array is a list of messages: the rules are for it, and for each of them.
    private mutating func read(_ value: JSON) {
        apply(value)
        if rules.format == .json { events.append(fromAgent: "update", ["update": value]) }
        for element in value.array ?? [] { apply(element) }
        // What tells of an error tells of no work, unless a model was at it.
        let isError = ([value] + (value.array ?? [])).contains { first(rules.error, $0) != nil }
        if !isError || (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0) > 0 { hasWorked = true }
    }

    private mutating func apply(_ value: JSON) {
        if let text = first(rules.text, value) { answer = BoundedText(Self.text(text)) }
        if let id = first(rules.session, value)?.string, !id.isEmpty { session = id }
        if let counts = first(rules.usage, value) { count(counts) }
        if let cost = first(rules.cost, value)?.double { usage.costUSD = cost }
        if let model = first(rules.model, value)?.string { usage.model = model }
        if let fault = first(rules.error, value) {
            error = Self.text(fault)
            if let error, !hasWorked, lostPattern.find(in: Array(error.utf8)) != nil { errorTellsLostSession = true }
        }
        if let code = first(rules.status, value)?.int { status = code }
        if first(rules.success, value) != nil { hasSucceeded = true }
        if first(rules.end, value) != nil { isOver = true }
    }

    private mutating func count(_ value: JSON) {
        let counts = Usage(agent: value)
        usage.inputTokens = counts.inputTokens ?? usage.inputTokens
        usage.outputTokens = counts.outputTokens ?? usage.outputTokens
    }

    private func first(_ rules: [OutputRules.Rule], _ value: JSON) -> JSON? {
        rules.lazy.compactMap { $0.find(in: value) }.first { $0 != .null && $0 != .bool(false) }
    }

    private static func text(_ value: JSON) -> String { value.string ?? JSONWriter.text(value) }
}

extension Usage {
    /// Counts as agents name them: `input_tokens` or `inputTokens`.
    init(agent value: JSON) {
        func number(_ names: String...) -> Int64? { names.lazy.compactMap { value[$0]?.int.map(Int64.init) }.first }
        // What came from a cache, or went into one, is input too; Claude leaves it out of the input tokens.
        let input = [number("input_tokens", "inputTokens", "prompt_tokens"), number("cache_creation_input_tokens"), number("cache_read_input_tokens")]
            .compactMap { $0 }
        self.init(
            inputTokens: input.isEmpty ? nil : input.reduce(0) { $0.addingReportingOverflow($1).partialValue },
            outputTokens: number("output_tokens", "outputTokens", "completion_tokens"))
    }
}
