// rouse-agent: the program of a turn, and the process that stays between turns. The daemon has a runner start it.
import Glibc
import Sessions

exit(AgentProgram.run(Array(CommandLine.arguments.dropFirst())))
