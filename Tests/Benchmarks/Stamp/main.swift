// Says when it began: writes CLOCK_MONOTONIC, in nanoseconds, to the file that its argument names. Without Foundation and
// with the standard library inside, so that what is measured is mostly the way to its start.
import CLinux
import Glibc

var now = timespec()
clock_gettime(CLOCK_MONOTONIC, &now)
guard CommandLine.argc == 2, let path = CommandLine.unsafeArgv[1] else { exit(64) }
let file = rouse_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
guard file >= 0 else { exit(73) }
let text = Array("\(now.tv_sec * 1_000_000_000 + now.tv_nsec)\n".utf8)
exit(write(file, text, text.count) == text.count ? 0 : 74)
