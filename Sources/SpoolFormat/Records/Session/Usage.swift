/// What a turn has used of a model.
public struct Usage: Sendable, Equatable {
    public var inputTokens: Int64?
    public var outputTokens: Int64?
    public var costUSD: Double?
    public var model: String?

    public init(inputTokens: Int64? = nil, outputTokens: Int64? = nil, costUSD: Double? = nil, model: String? = nil) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.costUSD = costUSD
        self.model = model
    }

    public var isEmpty: Bool { self == Usage() }

    public var json: JSON {
        var object = JSONObject()
        object["input_tokens"] = inputTokens.map(JSON.int)
        object["output_tokens"] = outputTokens.map(JSON.int)
        object["cost_usd"] = costUSD.map(JSON.double)
        object["model"] = .optional(model)
        return .object(object)
    }

    public init(_ value: JSON) {
        inputTokens = value["input_tokens"]?.int.map(Int64.init)
        outputTokens = value["output_tokens"]?.int.map(Int64.init)
        costUSD = value["cost_usd"]?.double
        model = value["model"]?.string
    }

    /// This count of a whole conversation, less what it was before. An agent that began to count anew shows less than
    /// before: then all of it is new.
    public func since(_ earlier: Usage?) -> Usage {
        func difference<Number: AdditiveArithmetic & Comparable>(_ now: Number?, _ before: Number?) -> Number? {
            guard let now, let before, before <= now else { return now }
            return now - before
        }
        return Usage(
            inputTokens: difference(inputTokens, earlier?.inputTokens), outputTokens: difference(outputTokens, earlier?.outputTokens),
            costUSD: difference(costUSD, earlier?.costUSD), model: model)
    }
}
