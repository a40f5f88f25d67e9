// listen before connect-exit, connect-entry before accept-exit, bytes both ways, half-close.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    pid_t child = fork();
    if (!child) {
        close(listener);
        int client = tcp_connect(&address);
        give(client, "ping");
        take(client, "pong");
        shutdown(client, SHUT_WR);
        end_of(client);
        _exit(0);
    }
    int server = accept(listener, 0, 0);
    take(server, "ping");
    give(server, "pong");
    end_of(server);
    close(server);
    reap(child, 0);
}
