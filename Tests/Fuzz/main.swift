// A mutation fuzzer for the readers of dropped files.
//
//     rouse-fuzz [--seconds 60] [--seed 1] [--corpus Tests/Fixtures]
//     rouse-fuzz --measure
//
// The same seed gives the same inputs. It ends with 1 at the first find and writes the input to
// `fuzz-find-<seed>.json`; an input during which the process dies is left in the same file.
import Glibc
import SpoolFormat

func option(_ name: String) -> String? {
    guard let index = CommandLine.arguments.firstIndex(of: name), index + 1 < CommandLine.arguments.count else { return nil }
    return CommandLine.arguments[index + 1]
}

func readFile(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return bytes
}

func corpus(_ root: String) -> [[UInt8]] {
    var files: [[UInt8]] = []
    for folder in ["good", "bad"] {
        guard let directory = opendir("\(root)/\(folder)") else { continue }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".json"), name != "expected.json" { names.append(name) }
        }
        // The order of a directory differs between machines; that of the seeds must not.
        for name in names.sorted() {
            if let bytes = readFile("\(root)/\(folder)/\(name)"), bytes.count < 20_000 { files.append(bytes) }
        }
    }
    return files
}

/// The processor time of this process: a busy machine makes nothing slow.
func processorTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

func fuzz(seconds: Int, seed: UInt64, root: String) -> Int32 {
    let seeds = corpus(root)
    guard !seeds.isEmpty else {
        print("no seeds in \(root)")
        return 2
    }
    let slowest = Duration.milliseconds(500)
    let place = "fuzz-find-\(seed).json"
    // The input at work stands in a mapped file, so that it is there whatever ends the process.
    let file = open(place, O_RDWR | O_CREAT | O_TRUNC, 0o644)
    ftruncate(file, Mutator.longest)
    guard file >= 0, let page = mmap(nil, Mutator.longest, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), page != MAP_FAILED else {
        print("can't write \(place)")
        return 2
    }
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var mutator = Mutator(seed: seed, seeds: seeds)
    var tally = Checks.Tally()
    var longest = Duration.zero
    while clock.now < end {
        let input = mutator.next()
        input.withUnsafeBytes { if let base = $0.baseAddress { page.copyMemory(from: base, byteCount: $0.count) } }
        let start = processorTime()
        var find = Checks.check(input, &tally)
        let elapsed = processorTime() - start
        longest = max(longest, elapsed)
        if find == nil, elapsed > slowest { find = "\(elapsed) for \(input.count) bytes" }
        if let find {
            ftruncate(file, input.count)
            print("find after \(tally.inputs) inputs: \(find)\nsee \(place)")
            return 1
        }
    }
    unlink(place)
    print("\(tally.inputs) inputs, \(tally.json) JSON, \(tally.tasks) tasks, \(tally.configurations) configurations, no find; slowest \(longest)")
    return 0
}

/// How fast the readers are, in a release build.
func measure() {
    let small = Array(
        #"{"run": ["make", "-j4", "all"], "queue": "builds", "priority": "high", "key": "deploy:prod", "timeout": "30m", "retries": 2, "cwd": "/srv/app", "env": {"CI": "1"}, "labels": {"repo": "app", "pr": "42"}}"#.utf8)
    func best(_ runs: Int, _ body: () -> Void) -> Double {
        let times = (0..<9).map { _ in
            let start = processorTime()
            for _ in 0..<runs { body() }
            return processorTime() - start
        }.min()!
        return (Double(times.components.seconds) * 1e9 + Double(times.components.attoseconds) / 1e9) / Double(runs)
    }
    print("a task of \(small.count) bytes: JSON \(Int(best(10_000) { _ = try? JSONReader.read(small) })) ns,",
        "JSON and task \(Int(best(10_000) { _ = try? TaskReader.read(JSONReader.read(small)) })) ns")
    let inputs: [(String, String)] = [
        ("text", "\"" + String(repeating: "lorem ipsum dolor sit amet ", count: 40_000) + "\""),
        ("text with escapes", "\"" + String(repeating: #"lorem\nipsum \u00e9 "#, count: 50_000) + "\""),
        ("numbers", "[" + String(repeating: "12345,", count: 170_000) + "1]"),
        ("tasks", "[" + String(repeating: String(decoding: small, as: UTF8.self) + ",", count: 5000) + "1]"),
        ("members", "{" + (0..<80_000).map { "\"n\($0)\":1" }.joined(separator: ",") + "}"),
    ]
    for (name, text) in inputs {
        let bytes = Array(text.utf8)
        let time = best(1) { _ = try? JSONReader.read(bytes) }
        let rejected = best(1) { _ = try? TaskReader.read(JSONReader.read(bytes)) }
        print("\(name): \(Int(Double(bytes.count) / time * 1000)) MB/s; with TaskReader \(Int(rejected / 1e6)) ms")
    }
}

if CommandLine.arguments.contains("--measure") {
    measure()
} else {
    let seconds = option("--seconds").flatMap { Int($0) } ?? 60
    let seed = option("--seed").flatMap { UInt64($0) } ?? 1
    exit(fuzz(seconds: seconds, seed: seed, root: option("--corpus") ?? "Tests/Fixtures"))
}
