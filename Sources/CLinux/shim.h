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
static inline int rouse_set_thread_name(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0);
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
static inline uint32_t rouse_epollet(void) { return EPOLLET; }
static inline uint32_t rouse_epollhup(void) { return EPOLLHUP; }
static inline int rouse_wifexited(int status) { return WIFEXITED(status); }
static inline int rouse_wexitstatus(int status) { return WEXITSTATUS(status); }
static inline int rouse_wifsignaled(int status) { return WIFSIGNALED(status); }
static inline int rouse_wtermsig(int status) { return WTERMSIG(status); }

// The runner's part.
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/socket.h>

// Declared by <spawn.h> only for _GNU_SOURCE.
extern int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *actions, int directory);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int lowest);

// A new session, no blocked signals, and every signal at its default, for what is spawned with these attributes.
static inline int rouse_spawn_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_init(attributes);
    if (error) return error;
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return posix_spawnattr_setflags(attributes, 0x80 /* SETSID */ | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}
// Blocks SIGCHLD and SIGTERM, and gives a descriptor on which they arrive.
static inline int rouse_child_and_term_descriptor(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, 0) < 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
// The same for a turn's process: also SIGUSR1, by which the daemon says that there is something to look at.
static inline int rouse_turn_signal_descriptor(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &set, 0) < 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
// And for the wrapper of a terminal's agent: its end, SIGTERM, and the terminal's being closed.
static inline int rouse_pane_signal_descriptor(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, 0) < 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
extern char **environ;
static inline char **rouse_environment(void) { return environ; }
static inline void rouse_ignore_signal(int number) { signal(number, SIG_IGN); }
// The next signal on such a descriptor; 0 where none is there.
static inline int rouse_next_signal(int descriptor) {
    struct signalfd_siginfo information;
    return read(descriptor, &information, sizeof information) == sizeof information ? (int)information.ssi_signo : 0;
}
// What a child has come to, without taking the news away: 0 nothing new, 1 ended, 2 stopped, -1 no such child.
static inline int rouse_peek_child(pid_t pid) {
    siginfo_t information;
    information.si_pid = 0;
    if (waitid(P_PID, (id_t)pid, &information, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) < 0) return -1;
    if (information.si_pid == 0) return 0;
    return information.si_code == CLD_STOPPED ? 2 : information.si_code == CLD_CONTINUED || information.si_code == CLD_TRAPPED ? 0 : 1;
}
// Whether this process has any child, living or dead.
static inline int rouse_has_children(void) {
    siginfo_t information;
    return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0;
}
static inline int rouse_memfd_create(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */); }
// A packet socket pair: one send is one message, and the end of the other side is seen.
static inline int rouse_packet_pair(int pair[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}
static inline ssize_t rouse_send(int socket, const void *bytes, size_t count, int waits) {
    return send(socket, bytes, count, MSG_NOSIGNAL | (waits ? 0 : MSG_DONTWAIT));
}
static inline ssize_t rouse_receive(int socket, void *bytes, size_t count) {
    return recv(socket, bytes, count, MSG_DONTWAIT);
}
static inline int rouse_lock_file(int file) { return flock(file, LOCK_EX | LOCK_NB); }
static inline void rouse_unlock_file(int file) { flock(file, LOCK_UN); }
static inline int rouse_pipe(int pair[2]) { return (int)syscall(SYS_pipe2, pair, O_CLOEXEC); }
static inline int rouse_set_cloexec(int file) { return fcntl(file, F_SETFD, FD_CLOEXEC); }
static inline int rouse_set_blocking(int file) { return fcntl(file, F_SETFL, fcntl(file, F_GETFL) & ~O_NONBLOCK); }
static inline int rouse_open_path_only(const char *path) { return open(path, 010000000 /* O_PATH */ | O_DIRECTORY | O_CLOEXEC); }
static inline int rouse_openat_path_only(int directory, const char *name) {
    return openat(directory, name, 010000000 /* O_PATH */ | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}
// Lowers a limit of this process; a hard limit that is lower already stays.
static inline int rouse_lower_limit(int resource, uint64_t soft, uint64_t hard) {
    struct { uint64_t soft, hard; } limit;
    if (syscall(SYS_prlimit64, 0, resource, (void *)0, &limit) < 0) return -1;
    if (limit.hard > hard) limit.hard = hard;
    limit.soft = soft < limit.hard ? soft : limit.hard;
    return (int)syscall(SYS_prlimit64, 0, resource, &limit, (void *)0);
}
enum { ROUSE_LIMIT_CPU = 0, ROUSE_LIMIT_PROCESSES = 6, ROUSE_LIMIT_FILES = 7, ROUSE_LIMIT_MEMORY = 9 };
static inline int rouse_is_socket(int file) {
    struct stat status;
    return fstat(file, &status) == 0 && S_ISSOCK(status.st_mode);
}
// How large a file another process may write; for tests of disks that take nothing.
static inline int rouse_exchange_file_size_limit(pid_t pid, const uint64_t new_limit[2], uint64_t old_limit[2]) {
    return (int)syscall(SYS_prlimit64, pid, 1 /* RLIMIT_FSIZE */, new_limit, old_limit);
}

// Sockets of a session's agent: packets, and descriptors that go with them.
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static inline int rouse_packet_socket(void) { return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }
static inline int rouse_accept(int socket) { return (int)syscall(SYS_accept4, socket, (void *)0, (void *)0, SOCK_CLOEXEC | SOCK_NONBLOCK); }
// An address has room for 107 bytes, and a spool's path may be longer: the directory is named by its descriptor.
static inline int rouse_socket_address(struct sockaddr_un *address, int directory, const char *name) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", directory, name);
    return length < (int)sizeof address->sun_path;
}
static inline int rouse_listen_at(int socket, int directory, const char *name) {
    struct sockaddr_un address;
    if (!rouse_socket_address(&address, directory, name)) { errno = ENAMETOOLONG; return -1; }
    mode_t mask = umask(0177);
    int result = bind(socket, (struct sockaddr *)&address, sizeof address);
    umask(mask);
    return result < 0 ? result : listen(socket, 8);
}
static inline int rouse_connect_at(int socket, int directory, const char *name) {
    struct sockaddr_un address;
    if (!rouse_socket_address(&address, directory, name)) { errno = ENAMETOOLONG; return -1; }
    return connect(socket, (struct sockaddr *)&address, sizeof address);
}
// One packet with two descriptors.
static inline ssize_t rouse_send_two(int socket, const void *bytes, size_t count, const int descriptors[2]) {
    union { char bytes[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr header; } control;
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {0};
    memset(&control, 0, sizeof control);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, 2 * sizeof(int));
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}
// Takes such a packet; without two descriptors they are -1.
static inline ssize_t rouse_receive_two(int socket, void *bytes, size_t count, int descriptors[2]) {
    union { char bytes[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr header; } control;
    struct iovec part = {bytes, count};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    descriptors[0] = descriptors[1] = -1;
    ssize_t result = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = result < 0 ? (struct cmsghdr *)0 : CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(2 * sizeof(int)))
        memcpy(descriptors, CMSG_DATA(header), 2 * sizeof(int));
    return result;
}
// Declared by <string.h> only for _GNU_SOURCE: `KILL` for 9.
extern const char *sigabbrev_np(int number);
