import SpoolFormat

/// A message of JSON-RPC 2.0. Ids are per direction: the agent's requests may well have the numbers of ours.
enum RPCMessage {
    case request(id: JSON, method: String, params: JSON)
    case notification(method: String, params: JSON)
    case response(id: Int, Result<JSON, RPCError>)

    /// `nil` where the value is no message.
    init?(_ value: JSON) {
        let params = value["params"] ?? .object(JSONObject())
        if let method = value["method"]?.string {
            if let id = value["id"], id != .null {
                self = .request(id: id, method: method, params: params)
            } else {
                self = .notification(method: method, params: params)
            }
            return
        }
        // Some agents give a number back as text.
        guard let id = value["id"].flatMap({ $0.int ?? $0.string.flatMap { Int($0) } }) else { return nil }
        if let error = value["error"], error != .null {
            self = .response(id: id, .failure(RPCError(error)))
        } else if let result = value["result"] {
            self = .response(id: id, .success(result))
        } else {
            return nil
        }
    }

    var json: JSON {
        var object: JSONObject = ["jsonrpc": "2.0"]
        switch self {
        case .request(let id, let method, let params):
            object["id"] = id
            object["method"] = .string(method)
            object["params"] = params
        case .notification(let method, let params):
            object["method"] = .string(method)
            object["params"] = params
        case .response(let id, let result): return Self.response(to: .number(id), result)
        }
        return .object(object)
    }

    /// The answer to a request, whose id is given back as it came.
    static func response(to id: JSON, _ result: Result<JSON, RPCError>) -> JSON {
        var object: JSONObject = ["jsonrpc": "2.0", "id": id]
        switch result {
        case .success(let value): object["result"] = value
        case .failure(let error): object["error"] = error.json
        }
        return .object(object)
    }
}

struct RPCError: Error {
    var code: Int
    var message: String
    var data: JSON?

    static let badRequest = -32600
    static let unknownMethod = -32601
    static let badParameters = -32602
    static let internalError = -32603
    static let authenticationRequired = -32000
    static let notFound = -32002

    init(_ code: Int, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ value: JSON) {
        code = value["code"]?.int ?? Self.internalError
        message = value["message"]?.string ?? JSONWriter.text(value)
        data = value["data"]
    }

    var json: JSON {
        var object: JSONObject = ["code": .number(code), "message": .string(message)]
        object["data"] = data
        return .object(object)
    }

    /// The message with what the agent adds to it: many say only there what went wrong.
    var words: String {
        guard let data, data != .null else { return message }
        let more = data["details"]?.string ?? data["message"]?.string ?? data.string ?? JSONWriter.text(data)
        return more == message ? message : "\(message): \(more)"
    }
}
