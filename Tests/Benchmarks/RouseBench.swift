import Glibc

/// rouse-bench: measures what the design promises, each figure beside a yardstick of the same run.
///
///     for product in rouse rouse-runner rouse-agent rouse-bench-stamp; do swift build -c release --product $product; done
///     swift run -c release rouse-bench [--quick] [--dir DIR] [row …]
@main
enum RouseBench {
    static var benchmarks: [any Benchmark.Type] {
        [Latency.self, WholeLife.self, TakingIn.self, Choosing.self, Idling.self, Durability.self, Starting.self, Waking.self, ColdSessions.self]
    }

    static func main() {
        guard let options = Options(CommandLine.arguments.dropFirst()) else {
            writeUsage()
            exit(64)
        }
        Workspace.clearOnSignals()
        let rows = measure(options)
        Workspace.clear()
        Report.write(rows)
        exit(rows.contains(where: \.isSkipped) || rows.isEmpty ? 1 : 0)
    }

    private static func measure(_ options: Options) -> [Row] {
        let workspace: Workspace
        do { workspace = try Workspace(in: options.parent) } catch {
            print("rouse-bench: \(error)")
            return []
        }
        let conditions = Conditions(workspace: workspace, isQuick: options.isQuick)
        var rows: [Row] = []
        for benchmark in options.chosen {
            conditions.say("\(benchmark.name): \(benchmark.about)")
            do { rows += try benchmark.run(conditions) } catch {
                rows.append(.skipped(benchmark.about, because: "\(error)"))
            }
        }
        return rows
    }

    private static func writeUsage() {
        print("usage: rouse-bench [--quick] [--dir DIR] [row …]\n")
        print("Spools are made below DIR, by default /var/tmp: a real disk, on which not much was removed just now.\n\nrows:")
        for benchmark in benchmarks {
            print("  \(benchmark.name)" + String(repeating: " ", count: 12 - benchmark.name.count) + benchmark.about)
        }
    }
}

struct Options {
    var isQuick = false
    var parent = "/var/tmp"
    var chosen: [any Benchmark.Type] = []

    init?(_ arguments: some Sequence<String>) {
        var arguments = Array(arguments)[...]
        while let argument = arguments.popFirst() {
            switch argument {
            case "--quick": isQuick = true
            case "--dir":
                guard let directory = arguments.popFirst() else { return nil }
                parent = directory
            default:
                guard let benchmark = RouseBench.benchmarks.first(where: { $0.name == argument }) else { return nil }
                chosen.append(benchmark)
            }
        }
        if chosen.isEmpty { chosen = RouseBench.benchmarks }
    }
}
