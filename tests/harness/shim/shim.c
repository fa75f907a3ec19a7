/*
 * A disk that misbehaves, and a clock that jumps, for one process: loaded into the daemon by
 * LD_PRELOAD, steered by a test while the daemon runs. Built and steered by ../shim.rs.
 *
 * DISK_SHIM_DIRS     prefixes of paths, separated by ':'; nothing else is touched
 * DISK_SHIM_CONTROL  a file of SLOTS numbers (int64, this machine's order), mapped shared: the
 *                    test writes a switch, and the next call sees it
 * DISK_SHIM_LOG      the record of every change below the prefixes, appended to
 *
 * Every call goes to the kernel by syscall(2), so nothing here depends on which of libc's names
 * (open or open64, pwrite or pwrite64) a program uses, nor on the order of libraries. 64-bit Linux.
 *
 * SQLite's shared memory (-shm) is mapped, and made anew after every crash: it is not recorded,
 * and only a full disk concerns it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The switches; the same numbers stand in shim.rs. A count of -1 means: until it is set to 0. */
enum slot {
    WRITE_FAILS,  /* so many writes, truncations and creations fail ... */
    WRITE_ERRNO,  /* ... with this */
    SYNC_FAILS,   /* so many fsyncs fail ... */
    SYNC_ERRNO,
    SYNC_WHICH,   /* ... of: 0 all files, 1 the database's own, 2 its write-ahead log */
    READ_FAILS,   /* so many reads fail ... */
    READ_ERRNO,
    ROOM,         /* bytes by which files may still grow; -1: no limit */
    SYNC_MS,      /* how long an fsync takes longer; lowered to 0, one under way goes on */
    CLOCK_S,      /* seconds by which the wall clock is wrong */
    LOCK_ERRNO,   /* locks fail with this; 0: they do not */
    LOCK_KINDS,   /* which: 1 fcntl, 2 flock */
    RECORDING,    /* 1: changes go to the log */
    FAILED,       /* counted here: calls that were made to fail */
    SYNCS,        /* counted here: fsyncs that are complete */
    SYNCING,      /* counted here: fsyncs that have begun */
    SLOTS
};

/* What a record of the log tells. */
enum kind { MADE = 1, WRITE, SIZE, SYNC, DIR_SYNC, UNLINK, RENAME, DIR_MADE };

/* A record: this, then `bytes` bytes of data or of a path. */
struct record {
    uint32_t kind;
    uint32_t file;   /* which file, whatever it is called by now; 0 for a directory */
    int64_t at;      /* offset, size, or for a sync: how many records there were when it began */
    int64_t failed;  /* an fsync's errno, or 0 */
    int64_t mono_ns; /* CLOCK_MONOTONIC, after the call and before the program hears of it */
    uint64_t bytes;
};

#define MOST_FDS 4096
#define MOST_FILES 512
#define MOST_PATH 512

struct file {
    char path[MOST_PATH]; /* empty: deleted */
    int is_dir;
    int is_shm;
};

static _Atomic int64_t *slots;
static int log_fd = -1;
static char dirs[2][MOST_PATH];
static _Atomic int fds[MOST_FDS]; /* fd -> number of a file, 0: not ours */
static struct file files[MOST_FILES];
static int file_count = 1;
static int64_t records;
/* Held over a change and its record, so that the order of records is the order of changes. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *control = getenv("DISK_SHIM_CONTROL");
    const char *prefixes = getenv("DISK_SHIM_DIRS");
    const char *log = getenv("DISK_SHIM_LOG");
    if (!control || !prefixes || !log) return;
    int fd = syscall(SYS_openat, AT_FDCWD, control, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return;
    void *map = mmap(NULL, SLOTS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (map == MAP_FAILED) return;
    log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const char *colon = strchr(prefixes, ':');
    size_t first = colon ? (size_t)(colon - prefixes) : strlen(prefixes);
    if (first < MOST_PATH) memcpy(dirs[0], prefixes, first);
    if (colon) strncpy(dirs[1], colon + 1, MOST_PATH - 1);
    slots = map;
}

/* ---- the switches ---- */

/* Uses up one of a count; true where there was one. */
static int strikes(enum slot count) {
    int64_t left = atomic_load(&slots[count]);
    while (left != 0) {
        if (left < 0 || atomic_compare_exchange_weak(&slots[count], &left, left - 1)) {
            atomic_fetch_add(&slots[FAILED], 1);
            return 1;
        }
    }
    return 0;
}

/* Takes room for growth by so many bytes; how many of them there is room for. */
static int64_t take_room(int64_t wanted) {
    if (wanted <= 0) return wanted;
    int64_t room = atomic_load(&slots[ROOM]);
    while (room >= 0) {
        int64_t granted = wanted < room ? wanted : room;
        if (atomic_compare_exchange_weak(&slots[ROOM], &room, room - granted)) {
            if (granted < wanted) atomic_fetch_add(&slots[FAILED], 1);
            return granted;
        }
    }
    return wanted;
}

static int64_t mono_ns(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A slow disk: in small steps, so that a test can end it. */
static void linger(void) {
    int64_t begun = mono_ns();
    struct timespec step = {0, 1000000};
    while (mono_ns() - begun < atomic_load(&slots[SYNC_MS]) * 1000000)
        syscall(SYS_nanosleep, &step, NULL);
}

/* ---- which file is meant ---- */

static int is_ours(const char *path) {
    for (int i = 0; slots && i < 2; i++) {
        size_t length = strlen(dirs[i]);
        if (length && strncmp(path, dirs[i], length) == 0 &&
            (path[length] == '/' || path[length] == '\0'))
            return strlen(path) < MOST_PATH;
    }
    return 0;
}

/* The number of a path, new where it has none. Under the lock. */
static int file_of(const char *path) {
    for (int i = 1; i < file_count; i++)
        if (strcmp(files[i].path, path) == 0) return i;
    if (file_count == MOST_FILES) abort(); /* a test that needs more says so loudly */
    struct file *file = &files[file_count];
    strcpy(file->path, path);
    size_t length = strlen(path);
    file->is_shm = length > 4 && strcmp(path + length - 4, "-shm") == 0;
    return file_count++;
}

static int file_at(int fd) {
    return slots && fd >= 0 && fd < MOST_FDS ? atomic_load(&fds[fd]) : 0;
}

/* A file whose reads, writes and syncs are made to fail. */
static int is_disk(int file) {
    return file && !files[file].is_dir && !files[file].is_shm;
}

static int64_t size_of(int fd) {
    struct stat stat;
    return fstat(fd, &stat) == 0 ? stat.st_size : 0;
}

/* ---- the record ---- */

/* Under the lock. */
static void record(enum kind kind, int file, int64_t at, int64_t failed, const void *data, size_t bytes) {
    if (!atomic_load(&slots[RECORDING]) || files[file].is_shm) return;
    struct record head = {kind, file, at, failed, mono_ns(), bytes};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, bytes}};
    /* One call: a kill leaves no half of it on an ordinary disk with room. */
    if (syscall(SYS_writev, log_fd, parts, 2) != (long)(sizeof head + bytes)) abort();
    records++;
}

/* ---- opening ---- */

static int open_file(int dir, const char *path, int flags, mode_t mode) {
    if (!is_ours(path)) return syscall(SYS_openat, dir, path, flags, mode);
    pthread_mutex_lock(&order);
    int is_new = (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    int saved = errno;
    int fd = -1;
    if (is_new && strikes(WRITE_FAILS)) {
        saved = atomic_load(&slots[WRITE_ERRNO]);
    } else {
        fd = syscall(SYS_openat, dir, path, flags, mode);
        saved = errno;
    }
    if (fd >= 0 && fd < MOST_FDS) {
        int file = file_of(path);
        struct stat stat;
        files[file].is_dir = fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode);
        atomic_store(&fds[fd], file);
        if (is_new) record(MADE, file, 0, 0, path, strlen(path));
        else if (flags & O_TRUNC) record(SIZE, file, 0, 0, NULL, 0);
    }
    pthread_mutex_unlock(&order);
    errno = saved;
    return fd;
}

static mode_t mode_of(int flags, va_list arguments) {
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                              \
    int name(const char *path, int flags, ...) {                \
        va_list arguments;                                      \
        va_start(arguments, flags);                             \
        mode_t mode = mode_of(flags, arguments);                \
        va_end(arguments);                                      \
        return open_file(AT_FDCWD, path, flags, mode);          \
    }
#define OPENAT(name)                                            \
    int name(int dir, const char *path, int flags, ...) {       \
        va_list arguments;                                      \
        va_start(arguments, flags);                             \
        mode_t mode = mode_of(flags, arguments);                \
        va_end(arguments);                                      \
        return open_file(dir, path, flags, mode);               \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    if (slots && fd >= 0 && fd < MOST_FDS) atomic_store(&fds[fd], 0);
    return syscall(SYS_close, fd);
}

/* ---- writing ---- */

/* What a write to one of ours comes to; -1 for a failure. `at` is -1 for where the file stands. */
static ssize_t write_file(int fd, int file, const void *data, size_t bytes, int64_t at) {
    pthread_mutex_lock(&order);
    int flags = syscall(SYS_fcntl, fd, F_GETFL, 0);
    int64_t size = size_of(fd);
    int64_t place = at;
    if (flags & O_APPEND) place = size;
    else if (at < 0) place = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t written = -1;
    int saved;
    if (is_disk(file) && strikes(WRITE_FAILS)) {
        saved = atomic_load(&slots[WRITE_ERRNO]);
    } else {
        int64_t growth = place + (int64_t)bytes - size;
        int64_t granted = take_room(growth);
        /* As on a real disk: what there is room for is written, and the next call fails. */
        size_t fits = growth > 0 ? bytes - (size_t)(growth - granted < (int64_t)bytes ? growth - granted : (int64_t)bytes) : bytes;
        if (fits == 0 && bytes > 0) {
            saved = ENOSPC;
        } else {
            written = at < 0 ? syscall(SYS_write, fd, data, fits) : syscall(SYS_pwrite64, fd, data, fits, at);
            saved = errno;
        }
    }
    if (written > 0) record(WRITE, file, place, 0, data, written);
    pthread_mutex_unlock(&order);
    errno = saved;
    return written;
}

ssize_t write(int fd, const void *data, size_t bytes) {
    int file = file_at(fd);
    return file ? write_file(fd, file, data, bytes, -1) : syscall(SYS_write, fd, data, bytes);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    int file = file_at(fd);
    /* A short write is allowed: the caller comes back for the rest. */
    return file && count > 0 ? write_file(fd, file, parts[0].iov_base, parts[0].iov_len, -1)
                             : syscall(SYS_writev, fd, parts, count);
}

#define PWRITE(name)                                                                 \
    ssize_t name(int fd, const void *data, size_t bytes, off_t at) {                 \
        int file = file_at(fd);                                                      \
        return file ? write_file(fd, file, data, bytes, at)                          \
                    : syscall(SYS_pwrite64, fd, data, bytes, at);                    \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

static int set_size(int fd, int64_t size) {
    int file = file_at(fd);
    if (!file) return syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&order);
    int done = -1, saved;
    int64_t growth = size - size_of(fd);
    if (is_disk(file) && strikes(WRITE_FAILS)) {
        saved = atomic_load(&slots[WRITE_ERRNO]);
    } else if (take_room(growth) < growth) {
        saved = ENOSPC;
    } else {
        done = syscall(SYS_ftruncate, fd, size);
        saved = errno;
    }
    if (done == 0) record(SIZE, file, size, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    errno = saved;
    return done;
}

int ftruncate(int fd, off_t size) { return set_size(fd, size); }
int ftruncate64(int fd, off_t size) { return set_size(fd, size); }

static int reserve(int fd, int64_t at, int64_t bytes) {
    return at + bytes > size_of(fd) && set_size(fd, at + bytes) != 0 ? errno : 0;
}

int posix_fallocate(int fd, off_t at, off_t bytes) { return reserve(fd, at, bytes); }
int posix_fallocate64(int fd, off_t at, off_t bytes) { return reserve(fd, at, bytes); }

/* ---- durability ---- */

/* Whether an fsync of this file is among those that are to fail. */
static int is_meant(const struct file *file) {
    int64_t which = atomic_load(&slots[SYNC_WHICH]);
    size_t length = strlen(file->path);
    return which == 0 || (length > 4 && !strcmp(file->path + length - 4, which == 1 ? "e.db" : "-wal"));
}

static int sync_file(int fd, int number) {
    int file = file_at(fd);
    if (!file || files[file].is_shm) return syscall(number, fd);
    pthread_mutex_lock(&order);
    int64_t covers = records;
    pthread_mutex_unlock(&order);
    atomic_fetch_add(&slots[SYNCING], 1);
    linger();
    int failed = 0;
    if (is_meant(&files[file]) && strikes(SYNC_FAILS)) failed = atomic_load(&slots[SYNC_ERRNO]);
    /* For the record it counts as done; what a power cut leaves is made from the record. */
    else if (!atomic_load(&slots[RECORDING]) && syscall(number, fd) != 0) failed = errno;
    pthread_mutex_lock(&order);
    struct file *known = &files[file];
    if (known->is_dir) {
        if (!failed) record(DIR_SYNC, 0, covers, 0, known->path, strlen(known->path));
    } else {
        record(SYNC, file, covers, failed, NULL, 0);
    }
    pthread_mutex_unlock(&order);
    atomic_fetch_add(&slots[SYNCS], 1);
    errno = failed;
    return failed ? -1 : 0;
}

int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

/* ---- names ---- */

int unlink(const char *path) {
    if (!is_ours(path)) return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    pthread_mutex_lock(&order);
    int done = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int saved = errno;
    if (done == 0) {
        int file = file_of(path);
        record(UNLINK, file, 0, 0, path, strlen(path));
        files[file].path[0] = '\0';
    }
    pthread_mutex_unlock(&order);
    errno = saved;
    return done;
}

int rename(const char *from, const char *to) {
    if (!is_ours(to)) return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    pthread_mutex_lock(&order);
    int done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    int saved = errno;
    if (done == 0) {
        int file = file_of(from);
        files[file_of(to)].path[0] = '\0';
        strcpy(files[file].path, to);
        record(RENAME, file, 0, 0, to, strlen(to));
    }
    pthread_mutex_unlock(&order);
    errno = saved;
    return done;
}

int mkdir(const char *path, mode_t mode) {
    int done = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    int saved = errno;
    if (done == 0 && is_ours(path)) {
        pthread_mutex_lock(&order);
        record(DIR_MADE, 0, 0, 0, path, strlen(path));
        pthread_mutex_unlock(&order);
    }
    errno = saved;
    return done;
}

/* ---- reading ---- */

static int cannot_read(int fd) {
    if (!is_disk(file_at(fd)) || !strikes(READ_FAILS)) return 0;
    errno = atomic_load(&slots[READ_ERRNO]);
    return 1;
}

ssize_t read(int fd, void *data, size_t bytes) {
    return cannot_read(fd) ? -1 : syscall(SYS_read, fd, data, bytes);
}

#define PREAD(name)                                                                  \
    ssize_t name(int fd, void *data, size_t bytes, off_t at) {                       \
        return cannot_read(fd) ? -1 : syscall(SYS_pread64, fd, data, bytes, at);     \
    }
PREAD(pread)
PREAD(pread64)

/* ---- locks ---- */

static int cannot_lock(int fd, int kind) {
    if (!file_at(fd) || !(atomic_load(&slots[LOCK_KINDS]) & kind)) return 0;
    int failed = atomic_load(&slots[LOCK_ERRNO]);
    if (failed) atomic_fetch_add(&slots[FAILED], 1);
    errno = failed;
    return failed;
}

static int control_file(int fd, int command, long argument) {
    int locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK ||
                command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK;
    if (locks && cannot_lock(fd, 1)) return -1;
    return syscall(SYS_fcntl, fd, command, argument);
}

#define FCNTL(name)                                             \
    int name(int fd, int command, ...) {                        \
        va_list arguments;                                      \
        va_start(arguments, command);                           \
        long argument = va_arg(arguments, long);                \
        va_end(arguments);                                      \
        return control_file(fd, command, argument);             \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

int flock(int fd, int operation) {
    return cannot_lock(fd, 2) ? -1 : syscall(SYS_flock, fd, operation);
}

/* ---- the wall clock ---- */

static int64_t wrong_by(void) {
    return slots ? atomic_load(&slots[CLOCK_S]) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, clock, now);
    if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += wrong_by();
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    int done = clock_gettime(CLOCK_REALTIME, &precise);
    if (done == 0) {
        now->tv_sec = precise.tv_sec;
        now->tv_usec = precise.tv_nsec / 1000;
    }
    return done;
}

time_t time(time_t *to) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}
