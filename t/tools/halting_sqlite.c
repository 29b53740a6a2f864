// SQLite that stops where a test wants it to, for nginx under LD_PRELOAD. Every step of a write
// adds a letter to the file "steps" of the folder AUTH_JS_HALT: B before BEGIN, W before a
// statement that writes, C before COMMIT, D after it. The step whose number stands in the file "at"
// makes a file "halted" and goes on when "at" says something else.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[4096];
static __thread int inside;  // sqlite3_exec makes statements, too

__attribute__((constructor)) static void begin(void) {
    const char* name = getenv("AUTH_JS_HALT");  // before nginx empties its environment
    if (name) snprintf(folder, sizeof folder, "%s", name);
}

static const char* in(char* path, size_t size, const char* name) {
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static long wanted(void) {
    char path[4200], text[32] = "";
    const int fd = open(in(path, sizeof path, "at"), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    return n > 0 ? atol(text) : 0;
}

static void step(char letter) {
    char path[4200];
    if (!*folder) return;
    const int fd =
        open(in(path, sizeof path, "steps"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return;
    const long number = write(fd, &letter, 1) == 1 ? (long)lseek(fd, 0, SEEK_END) : -1;
    close(fd);
    if (number != wanted()) return;
    close(open(in(path, sizeof path, "halted"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    while (number == wanted()) usleep(1000);
}

int sqlite3_exec(sqlite3* db, const char* sql, int (*row)(void*, int, char**, char**), void* data,
                 char** message) {
    int (*real)(sqlite3*, const char*, int (*)(void*, int, char**, char**), void*, char**);
    *(void**)&real = dlsym(RTLD_NEXT, "sqlite3_exec");
    const int begins = strncmp(sql, "BEGIN", 5) == 0, ends = strncmp(sql, "COMMIT", 6) == 0;
    if (begins) step('B');
    if (ends) step('C');
    ++inside;
    const int rc = real(db, sql, row, data, message);
    --inside;
    if (ends && rc == SQLITE_OK) step('D');
    return rc;
}

int sqlite3_step(sqlite3_stmt* st) {
    int (*real)(sqlite3_stmt*);
    *(void**)&real = dlsym(RTLD_NEXT, "sqlite3_step");
    if (!inside && !sqlite3_stmt_readonly(st) && !sqlite3_stmt_busy(st)) step('W');
    return real(st);
}
