// A process made for its parent's parent (clone3 with CLONE_PARENT), which waits for it; a daemon
// whose parents are gone accepts a connection.
#include "guest.h"
int main(void) {
    int ends[2];
    TRY(pipe(ends));
    pid_t child = fork();
    if (!child) {
        close(ends[0]);
        struct clone_args arguments = {.flags = CLONE_PARENT};
        pid_t sibling = syscall(SYS_clone3, &arguments, sizeof arguments);
        TRY(sibling);
        _exit(sibling ? 3 : 4);
    }
    close(ends[1]);
    end_of(ends[0]);
    reap(child, 3);
    siginfo_t information;
    TRY(waitid(P_ALL, 0, &information, WEXITED));
    NEED(information.si_code == CLD_EXITED && information.si_status == 4);

    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    pid_t parent = fork();
    if (!parent) {
        if (fork()) _exit(0);
        setsid();
        if (fork()) _exit(0);
        int server = accept(listener, 0, 0);
        take(server, "to the daemon");
        give(server, "from the daemon");
        _exit(0);
    }
    reap(parent, 0);
    int client = tcp_connect(&address);
    give(client, "to the daemon");
    take(client, "from the daemon");
    end_of(client);
    return 0;
}
