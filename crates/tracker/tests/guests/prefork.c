// A server that forks for each connection and closes its own copy at once: the connection ends when
// the child does, not when the parent lets go.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    pid_t client = fork();
    if (client == 0) {
        close(listener);
        for (int i = 0; i < 2; i++) {
            int own = tcp_connect(&address);
            give(own, "question");
            take(own, "answer");
            end_of(own);
            close(own);
        }
        exit(0);
    }
    for (int i = 0; i < 2; i++) {
        int server = accept(listener, 0, 0);
        pid_t child = fork();
        if (child == 0) {
            take(server, "question");
            give(server, "answer");
            _exit(0);
        }
        close(server);
        reap(child, 0);
    }
    reap(client, 0);
    return 0;
}
