import SpoolFormat
import Testing
import TestSupport

/// The git hooks, with real git, in a directory whose name has everything that a shell and JSON stumble over.
@Suite struct GitHookTests {
    /// A repository with one commit, a bare one that it pushes to, and a spool.
    private struct Place {
        let spool = TestSpool()
        let scratch: Scratch
        var work: String { scratch.path + "/it's \"work\" \\ $HOME" }

        /// - Parameter hook: what is put into the repository, or for post-receive into the bare one.
        init(_ hook: String) throws {
            scratch = try Scratch(in: spool, "git")
            let hooks = hook == "post-receive" ? "../bare.git/hooks" : ".git/hooks"
            let made = scratch.sh(
                """
                git init --quiet --bare --initial-branch=main bare.git
                mkdir "$WORK"; cd "$WORK"
                git init --quiet --initial-branch=main
                git remote add origin ../bare.git
                echo 1 > good; git add good; git commit --quiet --message one
                git config rouse.check 'test -f good && cat good'
                mkdir -p \(hooks); cp "$EXAMPLES/git-hooks/\(hook)" \(hooks)
                """, ["WORK": work, "EXAMPLES": Repository.path + "/examples"])
            try #require(made.code == 0, "\(made.output)")
        }

        @discardableResult
        func git(_ script: String, _ changes: [String: String] = [:]) -> (code: Int, output: String) {
            scratch.sh(script, in: work, changes)
        }

        /// The jobs that this hook has dropped, as `rouse list` has them.
        func jobs(_ hook: String) throws -> [JSON] {
            let list = Programs.rouse(["list", "--json", "--label", "git=\(hook)"], on: spool)
            try #require(list.code == 0, "\(list.output)")
            return try #require(try JSONReader.read(Array(list.output.utf8)).array)
        }

        func waitUntilAccepted(_ count: Int) {
            #expect(spool.wait { spool.events().count { $0["event"]?.string == "accepted" } >= count })
        }
    }

    /// - Parameter path: without the directory of the programs, the hook has nothing but `mv`.
    @Test(arguments: [nil, "/usr/bin:/bin"])
    func aCommitIsChecked(_ path: String?) throws {
        let place = try Place("post-commit")
        let spool = place.spool
        let environment = path.map { ["PATH": $0] } ?? [:]
        let daemon = TestDaemon(spool)
        // What is in the working tree is not what is checked.
        let first = place.git("echo 2 > good; git commit --quiet --all --message two; rm good; git rev-parse HEAD", environment)
        #expect(first.code == 0, "\(first.output)")
        let commit = try #require(first.output.split(separator: "\n").last.map(String.init))
        let id = try #require(first.output.split(separator: "\n").first.map(String.init))
        #expect(id.hasPrefix("check-") && commit.hasPrefix(id.dropFirst(6)), "\(first.output)")
        #expect(spool.finished(id)?["outcome"]?.string == "succeeded")
        #expect(spool.text("done/\(id)/log") == "2\n")
        #expect(spool.json("done/\(id)/task.json")?["labels"] == ["git": "post-commit", "branch": "main", "commit": .string(commit)])

        let second = place.git("git commit --quiet --all --message three", environment)
        let other = try #require(second.output.split(separator: "\n").first.map(String.init), "\(second.output)")
        #expect(spool.finished(other)?["outcome"]?.string == "failed")
        #expect(daemon.stop() == 0)

        // Nobody serves: the commit is made, and its check waits in the inbox.
        let third = place.git("git commit --quiet --allow-empty --message four", environment)
        #expect(third.code == 0, "\(third.output)")
        #expect(spool.list("inbox").count == 1)
    }

    @Test(arguments: ["post-commit", "pre-push", "post-receive"])
    func gitWorksWhereThereIsNoSpool(_ hook: String) throws {
        let place = try Place(hook)
        let done = place.git(
            "git commit --quiet --allow-empty --message two; git push --quiet origin main; git ls-remote origin main",
            ["ROUSE_SPOOL": place.spool.path + "/nowhere"])
        #expect(done.code == 0 && done.output.contains("no spool at") && done.output.contains("refs/heads/main"), "\(done.output)")
    }

    @Test func aCommitIsCheckedForWhitespaceWithoutAnythingSet() throws {
        let place = try Place("post-commit")
        let daemon = TestDaemon(place.spool)
        let made = place.git("git config --unset rouse.check; printf 'trailing \\n' > bad; git add bad; git commit --quiet --message two")
        let id = try #require(made.output.split(separator: "\n").first.map(String.init))
        #expect(place.spool.finished(id)?["outcome"]?.string == "failed")
        #expect(place.spool.text("failed/\(id)/log")?.contains("trailing whitespace") == true)
        #expect(daemon.stop() == 0)
    }

    @Test func eachRefOfAPushIsATask() throws {
        let place = try Place("post-receive")
        let daemon = TestDaemon(place.spool)
        place.git("git --git-dir=../bare.git config rouse.receive 'cat good; echo \"$REF\"'")
        let push = place.git("git branch other; git tag v1; git push --quiet origin main other v1")
        #expect(push.code == 0, "\(push.output)")
        place.waitUntilAccepted(3)
        let jobs = try place.jobs("post-receive")
        #expect(Set(jobs.compactMap { $0["labels"]?["ref"]?.string }) == ["refs/heads/main", "refs/heads/other", "refs/tags/v1"])
        for job in jobs {
            let id = try #require(job["id"]?.string)
            #expect(place.spool.finished(id)?["outcome"]?.string == "succeeded")
            #expect(place.spool.text("done/\(id)/log") == "1\n\(job["labels"]?["ref"]?.string ?? "")\n")
        }
        // What is deleted is nobody's task.
        #expect(place.git("git push --quiet origin :other").code == 0)
        #expect(try place.jobs("post-receive").count == 3)
        #expect(place.spool.list("inbox").isEmpty)
        #expect(daemon.stop() == 0)
    }

    @Test func aPushWaitsForItsVerdict() throws {
        let place = try Place("pre-push")
        let daemon = TestDaemon(place.spool)
        func remote() -> String { place.git("git ls-remote origin main | cut -f1").output }
        func head() -> String { place.git("git rev-parse HEAD").output }

        let good = place.git("git push --quiet origin main")
        #expect(good.code == 0 && remote() == head(), "\(good.output)")

        let bad = place.git("git rm --quiet good; git commit --quiet --message two; git push --quiet origin main")
        #expect(bad.code != 0 && bad.output.contains("says no") && remote() != head(), "\(bad.output)")
        #expect(place.git("git push --quiet --no-verify origin main").code == 0)
        #expect(remote() == head())

        // A daemon that starts nothing comes to no verdict.
        place.spool.write("", to: place.spool.path + "/daemon/PAUSE")
        #expect(place.spool.wait { place.spool.events().contains { $0["event"]?.string == "paused" } })
        let silent = place.git("git config rouse.patience 100ms; git commit --quiet --allow-empty --message three; git push --quiet origin main")
        #expect(silent.code == 0 && silent.output.contains("no verdict") && remote() == head(), "\(silent.output)")
        #expect(daemon.stop() == 0)

        let nobody = place.git("git commit --quiet --allow-empty --message four; git push --quiet origin main")
        #expect(nobody.code == 0 && nobody.output.contains("no daemon") && remote() == head(), "\(nobody.output)")
        let required = place.git("git config rouse.required true; git commit --quiet --allow-empty --message five; git push --quiet origin main")
        #expect(required.code != 0 && required.output.contains("nothing is pushed") && remote() != head(), "\(required.output)")
    }
}
