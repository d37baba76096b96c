import Foundation
import Glibc
import Synchronization
import Testing

@testable import SpoolWatch

extension DirectoryWatcherTests {
    @Test("A second watcher is refused while one lives, and only then")
    func second() async throws {
        let first = try DirectoryWatcher(WatchOptions())
        #expect(throws: WatchError.alreadyWatching) { try DirectoryWatcher(WatchOptions()) }
        first.stop()
        let next = try Listener()
        _ = await next.arm(try scratch.directory("inbox"))
    }

    @Test("To stop leaves no descriptor and no thread, and ends the hints")
    func stopping() async throws {
        let inotifyBefore = InotifyDescriptor.allInProcess()
        let watcher = try DirectoryWatcher(WatchOptions())
        let inbox = watcher.watch(try scratch.directory("inbox"))
        var hints = watcher.hints.makeAsyncIterator()
        #expect(await hints.next()?.scope == .directory(inbox))
        #expect(Process.watchThreads.count == 1)
        #expect(InotifyDescriptor.allInProcess().count == inotifyBefore.count + 1)
        let wake = try #require(Process.eventIdentity(watcher.wakeDescriptor))
        watcher.stop()
        watcher.stop()
        // The kernel removes the thread's entry a moment after it has let the joining thread go.
        while !Process.watchThreads.isEmpty { sched_yield() }
        #expect(InotifyDescriptor.allInProcess() == inotifyBefore)
        #expect(Process.eventIdentity(watcher.wakeDescriptor) != wake)
        watcher.watch(scratch["inbox"])
        watcher.verify()
        #expect(await hints.next() == nil)
    }

    @Test("Events that were not taken before a stop are not given to the next watcher")
    func leftovers() async throws {
        for round in 0..<20 {
            let listener = try Listener()
            let inbox = await listener.arm(try scratch.directory("inbox\(round)"))
            for number in 0..<500 { scratch.write("inbox\(round)/\(number)") }
            listener.watcher.stop()
            _ = inbox
        }
        let listener = try Listener()
        let quiet = await listener.arm(try scratch.directory("quiet"))
        let other = await listener.arm(try scratch.directory("other"))
        try scratch.drop("other/x")
        let taken = await listener.until { $0.scope == .directory(other) }
        #expect(!taken.contains { $0.scope == .directory(quiet) })
    }

    @Test("A callback may stop the watcher and drop the last reference to it")
    func stoppedByCallback() async throws {
        let holder = Holder()
        let (ended, end) = AsyncStream<Void>.makeStream()
        let watcher = try DirectoryWatcher(WatchOptions(), onHint: { _ in
            let watcher = holder.watcher.withLock { $0.take() }
            watcher?.stop()
            end.finish()
        })
        holder.watcher.withLock { $0 = watcher }
        watcher.watch(try scratch.directory("inbox"))
        for await _ in ended {}
        watcher.stop()
        _ = try Listener()
    }

    @Test("A program that is started while a watcher lives inherits none of its descriptors")
    func inheritance() async throws {
        let listener = try Listener()
        _ = await listener.arm(try scratch.directory("inbox"))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let output = scratch["output"]
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
        var arguments: [UnsafeMutablePointer<CChar>?] = ["ls", "-l", "/proc/self/fd"].map { (text: String) in strdup(text) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        #expect(posix_spawn(&child, "/bin/ls", &actions, nil, &arguments, nil) == 0)
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        let listing = try String(contentsOfFile: output, encoding: .utf8)
        #expect(listing.contains("output"))
        #expect(!listing.contains("inotify"))
        #expect(!listing.contains(" \(listener.watcher.wakeDescriptor) -> anon_inode:[eventfd]"))
    }

    @Test("The watch thread leaves signals to the others")
    func signals() async throws {
        let listener = try Listener()
        _ = await listener.arm(try scratch.directory("inbox"))
        let thread = try #require(Process.watchThreads.first)
        let status = try String(contentsOfFile: "/proc/self/task/\(thread)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") })
        let blocked = try #require(UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16))
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE] {
            #expect(blocked & (1 << UInt64(signal - 1)) != 0)
        }
    }

    private final class Holder: Sendable {
        let watcher = Mutex<DirectoryWatcher?>(nil)
    }
}

/// What this process has, as /proc tells.
private enum Process {
    static var watchThreads: [String] {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return threads.filter {
            (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == WatchThread.name + "\n"
        }
    }

    /// The number that the kernel gave the eventfd, which is not used again as the descriptor's is.
    static func eventIdentity(_ descriptor: Int32) -> Substring? {
        let information = try? String(contentsOfFile: "/proc/self/fdinfo/\(descriptor)", encoding: .utf8)
        return information?.split(separator: "\n").first { $0.hasPrefix("eventfd-id:") }
    }
}
