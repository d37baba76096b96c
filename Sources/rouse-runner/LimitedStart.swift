import CLinux
import Glibc
import JobRunner
import Processes
import SpoolFormat

/// The runner started as `rouse-runner --limit memory=… … -- <path> <argv…>`: it sets limits on itself and becomes
/// the program.
enum LimitedStart {
    static let option = "--limit"
    /// Where it reports that it could not become the program.
    static let reportDescriptor: Int32 = 3

    enum Step: Int32 { case limit = 1, exec = 2 }

    private struct Kind {
        let name: String
        let resource: Int32
        let value: KeyPath<Limits, Int64?>
        /// What the program gets, after the signal at the soft limit, to end in good order.
        var allowance: UInt64 = 0
    }

    private static var kinds: [Kind] {
        [
            Kind(name: "memory", resource: Int32(ROUSE_LIMIT_MEMORY), value: \.memory),
            Kind(name: "cpu", resource: Int32(ROUSE_LIMIT_CPU), value: \.cpuSeconds, allowance: 5),
            Kind(name: "files", resource: Int32(ROUSE_LIMIT_FILES), value: \.openFiles),
            Kind(name: "processes", resource: Int32(ROUSE_LIMIT_PROCESSES), value: \.processes),
        ]
    }

    /// The options that stand for `limits`; none where nothing is limited.
    static func options(for limits: Limits) -> [String] {
        kinds.flatMap { kind in limits[keyPath: kind.value].map { [option, "\(kind.name)=\($0)"] } ?? [] }
    }

    /// Never returns.
    static func become(_ arguments: [String]) -> Never {
        _ = rouse_set_cloexec(reportDescriptor)
        let options = arguments.dropFirst().prefix { $0 != "--" }
        let rest = Array(arguments.dropFirst(options.count + 2))
        guard rest.count >= 2 else { fail(.exec, EINVAL) }
        // Made before the limits hold: there may be no memory for it after.
        let program = rest[0]
        let vector = CStrings(Array(rest[1...]))
        let limits = options.filter { $0 != option }.map(parse)
        for limit in limits {
            guard let (resource, soft, hard) = limit else { fail(.limit, EINVAL) }
            guard rouse_lower_limit(resource, soft, hard) == 0 else { fail(.limit, errno) }
        }
        _ = vector.withPointers { execv(program, $0) }
        fail(.exec, errno)
    }

    /// Waits until the process has become the program (`nil`), or says why it has not.
    static func report(from pipe: Int32) -> (Step, Int32)? {
        var words: [Int32] = [0, 0]
        while true {
            let count = read(pipe, &words, 8)
            if count < 0, errno == EINTR { continue }
            guard count == 8, let step = Step(rawValue: words[0]) else { return nil }
            return (step, words[1])
        }
    }

    private static func parse(_ text: String) -> (Int32, UInt64, UInt64)? {
        let parts = text.split(separator: "=")
        guard parts.count == 2, let kind = kinds.first(where: { $0.name == parts[0] }), let most = UInt64(parts[1]) else { return nil }
        return (kind.resource, most, most + kind.allowance)
    }

    private static func fail(_ step: Step, _ code: Int32) -> Never {
        let words = [step.rawValue, code]
        _ = write(reportDescriptor, words, 8)
        _exit(127)
    }
}
