// Two sockets listen on one port (SO_REUSEPORT), each in a process of its own; the kernel chooses
// which accepts. Whichever it is, each connection is matched to its accept.
// graph: counts
#include "guest.h"
static int listens(struct sockaddr_in *address) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    socklen_t length = sizeof *address;
    TRY(setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
    TRY(bind(listener, (void *)address, length));
    TRY(getsockname(listener, (void *)address, &length));
    TRY(listen(listener, 64));
    return listener;
}
int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listeners[2], clients[20];
    for (int i = 0; i < 2; i++) listeners[i] = listens(&address);
    for (int i = 0; i < 20; i++) {
        clients[i] = tcp_connect(&address);
        give(clients[i], "hello");
        TRY(shutdown(clients[i], SHUT_WR));
    }
    pid_t children[2];
    for (int i = 0; i < 2; i++)
        if (!(children[i] = fork())) {
            TRY(fcntl(listeners[i], F_SETFL, O_NONBLOCK));
            for (int server; (server = accept4(listeners[i], 0, 0, 0)) >= 0; close(server)) {
                take(server, "hello");
                end_of(server);
            }
            NEED(errno == EAGAIN);
            _exit(0);
        }
    for (int i = 0; i < 2; i++) reap(children[i], 0);
}
