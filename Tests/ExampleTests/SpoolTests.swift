import SpoolFormat
import Testing
import TestSupport

/// The repository's own spool.
@Suite struct SpoolTests {
    @Test func itsReadmeIsWhatInitWrites() throws {
        #expect(try Repository.text("spool/README.md") == SpoolReadme.text)
    }

    @Test func itHasEveryDirectory() throws {
        for name in SpoolLayout.directories { _ = try Directory(Repository.path + "/spool/" + name) }
    }

    /// As it is committed, with a daemon on it and a job that leaves files like those that are committed.
    @Test func whatRunsInItLeavesGitClean() throws {
        let outer = TestSpool()
        defer { Programs.endAll(ofSpool: outer.path) }
        let directories = SpoolLayout.directories.filter { $0 != SpoolLayout.config }
        let scratch = try Scratch(in: outer, "git")
        let made = scratch.sh(
            """
            git init --quiet
            cp "$SPOOL/.gitignore" .
            for name in \(directories.joined(separator: " ")); do
                mkdir -p $name; cp "$SPOOL/$name/.gitkeep" $name/
            done
            cp "$SPOOL/README.md" .
            git add --all; git commit --quiet --message spool; git ls-files
            """, ["SPOOL": Repository.path + "/spool"])
        #expect(made.code == 0, "\(made.output)")
        #expect(made.output.split(separator: "\n").count == directories.count + 2)
        let run = scratch.sh(
            """
            export ROUSE_SPOOL=$PWD
            rouse init --quiet 2> /dev/null
            rouse serve 2> .git/daemon & daemon=$!
            rouse drop --id one --own-directory --wait --shell 'touch .gitkeep .gitignore; git init --quiet inner'
            echo '{"run": ' > inbox/.bad; mv inbox/.bad inbox/bad.json
            rouse wait bad || test $? = 65
            echo '{"slots": 3}' > config/queues/night.json
            echo '{"run": ["true"], "queue": "night"}' | rouse drop --wait
            kill $daemon; wait $daemon
            ls done/one/work/.gitkeep rejected/bad.json index.sqlite > /dev/null
            git status --porcelain --untracked-files=all
            """)
        #expect(run.code == 0)
        #expect(!run.output.contains("??") && !run.output.contains(" M ") && !run.output.contains(" D "), "\(run.output)")
    }
}
