// Linked into the nginx of `make asan`: where nginx ends before it has become a server (-t, -T, -s, a
// mistake in the configuration), its main() returns and leaves its pools to the kernel. Leaks are
// looked for in masters and workers.
extern unsigned long ngx_process __attribute__((weak));  // absent while nginx's configure tries things

int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    enum { single = 0, signaller = 2 };  // NGX_PROCESS_...
    return &ngx_process != 0 && (ngx_process == single || ngx_process == signaller);
}
