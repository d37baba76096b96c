// What the Glibc module does not import. Headers only: declarations and inline wrappers of single system calls.
#pragma once
// No _GNU_SOURCE here: it would give this module other versions of types that the Glibc module has too.
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#endif

static inline int rouse_renameat2(int from, const char *old_name, int to, const char *new_name, unsigned flags) {
    return (int)syscall(SYS_renameat2, from, old_name, to, new_name, flags);
}
static inline int rouse_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}
static inline int rouse_pidfd_send_signal(int pidfd, int signal_number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal_number, (void *)0, 0);
}
static inline int rouse_set_child_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}
static inline int rouse_openat(int directory, const char *name, int flags, mode_t mode) {
    return openat(directory, name, flags, mode);
}
static inline int rouse_open(const char *path, int flags, mode_t mode) {
    return open(path, flags, mode);
}
// Its declaration asks for _GNU_SOURCE.
static inline int rouse_syncfs(int fd) {
    return (int)syscall(SYS_syncfs, fd);
}
static inline int rouse_set_cloexec_nonblock(int fd) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -1;
    return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}
static inline int rouse_punch_hole(int fd, int64_t offset, int64_t length) {
    return (int)syscall(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}
// The type of a statfs call is a magic number whose C type differs between architectures.
static inline int64_t rouse_fs_type(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) < 0 ? -1 : (int64_t)(uint32_t)s.f_type;
}
// Macros that take part in expressions are not imported.
static inline uint32_t rouse_epollin(void) { return EPOLLIN; }
static inline uint32_t rouse_epollhup(void) { return EPOLLHUP; }
static inline int rouse_wifexited(int status) { return WIFEXITED(status); }
static inline int rouse_wexitstatus(int status) { return WEXITSTATUS(status); }
static inline int rouse_wifsignaled(int status) { return WIFSIGNALED(status); }
static inline int rouse_wtermsig(int status) { return WTERMSIG(status); }
