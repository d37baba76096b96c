/// Who has said what a setting of an attempt is.
public enum Origin: String, Sendable, CaseIterable {
    /// The dropped file.
    case task
    /// The queue's configuration: its `defaults`, or its `env`.
    case queue
    /// The session's definition, or its agent's configuration.
    case session, agent
    /// Nobody.
    case `default`
}

/// Where the settings of a job come from, by the field's name; a variable is `env.NAME`, a limit `limits.NAME`.
public struct Origins: Sendable, Equatable {
    /// What is not in it has its default.
    private(set) var named: [String: Origin] = [:]

    public init() {}

    public subscript(name: String) -> Origin { named[name] ?? .default }

    public mutating func set(_ origin: Origin, for names: [String]) {
        for name in names { named[name] = origin }
    }

    public mutating func set(_ origin: Origin, for name: String) { named[name] = origin }

    var json: JSON {
        var object = JSONObject()
        for (name, origin) in named.sorted(by: { $0.key < $1.key }) { object.append(unchecked: name, .string(origin.rawValue)) }
        return .object(object)
    }

    init(_ value: JSON?) {
        for member in value?.object?.members ?? [] { named[member.name] = member.value.string.flatMap(Origin.init) }
    }
}

extension TaskOptions {
    /// The origins of these options, once they are filled from `defaults`.
    public func origins(filledFrom defaults: TaskOptions = TaskOptions()) -> Origins {
        var origins = Origins()
        origins.set(.queue, for: defaults.settings)
        origins.set(.task, for: settings)
        return origins
    }

    /// The names of what is given here and decides how an attempt is made.
    private var settings: [String] {
        var names: [String] = []
        func note(_ name: String, _ isGiven: Bool) { if isGiven { names.append(name) } }
        note("priority", priority != nil)
        note("timeout", timeout != nil)
        note("grace", grace != nil)
        note("retries", retries != nil)
        note("backoff", backoff != nil)
        note("cwd", cwd != nil)
        note("stdin", stdin != nil)
        note("on_crash", onCrash != nil)
        for name in env?.keys.sorted() ?? [] { names.append("env." + name) }
        for name in limits?.json.object?.names ?? [] { names.append("limits." + name) }
        return names
    }
}
