// Says when it began: writes CLOCK_MONOTONIC, in nanoseconds, to the file that its argument names. Small and in C, so
// that what is measured is the way to its start and not the start of a language's run time.
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (count != 2) return 64;
    int file = open(arguments[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return 73;
    char text[32];
    int length = snprintf(text, sizeof text, "%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    return write(file, text, (size_t)length) == length ? 0 : 74;
}
