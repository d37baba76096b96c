import Glibc
import SpoolFormat

/// The yardstick for latency: what somebody would write in Python with the `watchdog` package, spawning a program
/// for each file that is dropped.
final class WatchdogObserver {
    private let process: Child

    private static let program = """
        import os, subprocess, sys, threading
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer

        inbox, stamp, stamps, ready = sys.argv[1:]

        class Handler(FileSystemEventHandler):
            def start(self, path):
                name = os.path.splitext(os.path.basename(path))[0]
                subprocess.Popen([stamp, os.path.join(stamps, name)]).wait()

            def on_created(self, event):
                self.start(event.src_path)

            def on_moved(self, event):
                self.start(event.dest_path)

        observer = Observer()
        observer.schedule(Handler(), inbox)
        observer.start()
        os.close(os.open(ready, os.O_CREAT | os.O_WRONLY))
        threading.Event().wait()
        """

    /// - Parameter library: where `watchdog` is, as Python's path has it.
    init(in workspace: Workspace, library: String, inbox: String, stamps: String) throws {
        try workspace.directory.write(Array(Self.program.utf8), to: "observer.py")
        process = try Child(
            ["python3", workspace.path + "/observer.py", inbox, workspace.stamp, stamps, workspace.path + "/observer.ready"],
            environment: ["PYTHONPATH": library], output: workspace.path + "/observer.log")
        for _ in 0..<500 where !workspace.directory.contains("observer.ready") { Clock.sleep(milliseconds: 20) }
        guard workspace.directory.contains("observer.ready") else { throw BenchmarkFault("the Python observer did not start") }
    }

    func stop() { process.end(SIGKILL) }

    /// Where the package is: as Python finds it, or installed below the workspace for this run.
    /// - Returns: the path for Python, or `nil` where it can't be had.
    static func library(in workspace: Workspace) throws -> String? {
        let given = getenv("PYTHONPATH").map { String(cString: $0) } ?? ""
        func works(_ path: String) -> Bool {
            (try? Child.run(["python3", "-c", "import watchdog.observers"], environment: ["PYTHONPATH": path])) != nil
        }
        if works(given) { return given }
        let target = workspace.path + "/python"
        try? Child.run(["timeout", "60", "python3", "-m", "pip", "install", "--quiet", "--target", target, "watchdog"])
        return works(target) ? target : nil
    }
}
