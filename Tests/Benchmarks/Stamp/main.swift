// Says when it began: writes CLOCK_MONOTONIC, in nanoseconds, to the file that its argument names. Without Foundation and
// with the standard library inside, so that what is measured is mostly the way to its start.
//
//     rouse-bench-stamp FILE
//     rouse-bench-stamp --agent DIRECTORY    an agent that says when each prompt came
import Glibc

switch CommandLine.argc {
case 2: exit(stamp(CommandLine.arguments[1]))
case 3 where CommandLine.arguments[1] == "--agent": AgentStamp.serve(CommandLine.arguments[2])
default: exit(64)
}
