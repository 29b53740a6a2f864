// A name server that hangs, for nginx under LD_PRELOAD: every look-up of a name takes 10 s and fails.
#include <netdb.h>
#include <unistd.h>

int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints,
                struct addrinfo** res) {
    (void)node, (void)service, (void)hints, (void)res;
    sleep(10);
    return EAI_AGAIN;
}
