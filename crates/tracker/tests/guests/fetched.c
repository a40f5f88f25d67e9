// A process fetches a connection of its parent by pidfd_getfd, a call that nothing announces, and
// goes on with it: what it reads and writes is seen all the same.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    int go[2];
    TRY(pipe(go));
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(server), close(client);
        for (int i = 0; i < 100; i++) TRY(open("/dev/null", O_RDONLY)); // a number nobody expects
        take(go[0], "1");
        int handle = syscall(SYS_pidfd_open, parent, 0);
        TRY(handle);
        int got = syscall(SYS_pidfd_getfd, handle, server, 0);
        if (got < 0) exit(77);
        NEED(got > 100);
        take(got, "for the child");
        give(got, "from the child");
        exit(0);
    }
    give(client, "for the child");
    give(go[1], "1");
    reap(child, 0);
    take(client, "from the child");
    return 0;
}
