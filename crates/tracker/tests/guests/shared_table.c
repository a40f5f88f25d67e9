// A process that shares its parent's table of descriptors (clone with CLONE_FILES): what it closes is
// closed for both, what it opens the parent has, and its end releases nothing.
#include "guest.h"
#include <sched.h>
static int server, ends[2], go[2];
static char stack[65536] __attribute__((aligned(16)));
static int child(void *unused) {
    TRY(close(server));
    int made = dup(ends[1]);
    give(go[1], "c");
    give(made, "through a copy");
    _exit(made);
}
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address);
    server = accept(listener, 0, 0);
    TRY(pipe(ends));
    TRY(pipe(go));
    pid_t other = clone(child, stack + sizeof stack, CLONE_FILES | SIGCHLD, 0);
    TRY(other);
    take(go[0], "c");
    end_of(client);
    take(ends[0], "through a copy");
    int status;
    NEED(waitpid(other, &status, 0) == other && WIFEXITED(status));
    int made = WEXITSTATUS(status);
    TRY(close(ends[1]));
    give(made, "it lives on");
    take(ends[0], "it lives on");
    TRY(close(made));
    end_of(ends[0]);
    return 0;
}
