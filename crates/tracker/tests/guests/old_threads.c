// Threads as they were before there were threads: processes that share memory and descriptors (clone
// with CLONE_VM and CLONE_FILES, without CLONE_THREAD). One sends on a connection that the other
// made after it began, and its end releases nothing. A vfork child writes before it execs.
#include "guest.h"
#include <sched.h>
static int client, go[2];
static char stack[65536] __attribute__((aligned(16)));
static int child(void *unused) {
    take(go[0], "made");
    NEED(send(client, "by the other", 12, 0) == 12);
    return 0;
}
int main(int count, char **arguments) {
    if (count > 1) {
        take(atoi(arguments[1]), "before exec");
        return 0;
    }
    TRY(pipe(go));
    pid_t other = clone(child, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, 0);
    TRY(other);
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    client = tcp_connect(&address);
    int server = accept(listener, 0, 0);
    give(go[1], "made");
    reap(other, 0);
    take(server, "by the other");
    give(client, "still there");
    take(server, "still there");
    TRY(close(client));
    end_of(server);
    int ends[2];
    TRY(pipe(ends));
    char number[16];
    snprintf(number, sizeof number, "%d", ends[0]);
    pid_t runs = vfork();
    if (!runs) {
        (void)!write(ends[1], "before exec", 11);
        execl(arguments[0], arguments[0], number, (char *)0);
        _exit(1);
    }
    reap(runs, 0);
    return 0;
}
