// rouse-runner: runs attempts of jobs, one after another, for a daemon that may be gone before they end.
import CLinux
import Glibc
import JobRunner

if CommandLine.arguments.dropFirst().first == LimitedStart.option {
    LimitedStart.become(CommandLine.arguments)
}
guard let runner = Runner() else {
    _ = writeUsage()
    exit(64)
}
runner.serve()
exit(0)

func writeUsage() -> Int {
    let text = "rouse-runner is started by the rouse daemon, with a socket to it as descriptor 3\n"
    return text.withCString { write(2, $0, strlen($0)) }
}
