// A connection reset by its peer (SO_LINGER 0), and a write to a pipe nobody reads.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    char byte;
    int listener = tcp_listen(&address), ends[2], ready[2];
    signal(SIGPIPE, SIG_IGN);
    TRY(pipe(ends));
    TRY(pipe(ready));
    pid_t child = fork();
    if (!child) {
        int client = tcp_connect(&address);
        struct linger now = {1, 0};
        setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(client);
        close(ends[0]);
        give(ready[1], "r");
        _exit(0);
    }
    int server = accept(listener, 0, 0);
    close(ends[0]);
    take(ready[0], "r");
    NEED(read(server, &byte, 1) == -1 && errno == ECONNRESET);
    NEED(write(ends[1], "x", 1) == -1 && errno == EPIPE);
    reap(child, 0);
}
