// A clock that jumps, for nginx under LD_PRELOAD: MOVED_CLOCK is a file of eight bytes, the seconds
// (int64, of this machine's byte order) that the time of day is off. What measures durations
// (CLOCK_MONOTONIC) goes on as it does.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t off(void) {
    static volatile int64_t* file;
    if (file == NULL) {
        const int fd = open(getenv("MOVED_CLOCK"), O_RDONLY);
        void* seen = mmap(NULL, sizeof *file, PROT_READ, MAP_SHARED, fd, 0);
        if (seen == MAP_FAILED) abort();
        close(fd);
        file = seen;
    }
    return *file;
}

int clock_gettime(clockid_t id, struct timespec* t) {
    int (*real)(clockid_t, struct timespec*) = dlsym(RTLD_NEXT, "clock_gettime");
    const int rc = real(id, t);
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) t->tv_sec += off();
    return rc;
}

int gettimeofday(struct timeval* t, void* zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to != NULL) *to = now.tv_sec;
    return now.tv_sec;
}
