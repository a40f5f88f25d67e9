// Sockets that poll their device while they wait (SO_BUSY_POLL, SO_PREFER_BUSY_POLL), which needs a
// privilege above what the system gives: receives are the same, taken or waited for.
#include "guest.h"
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
static void busy(int socket) {
    int microseconds = 50, prefer = 1;
    if (setsockopt(socket, SOL_SOCKET, SO_BUSY_POLL, &microseconds, sizeof microseconds) < 0) NEED(errno == EPERM);
    if (setsockopt(socket, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, sizeof prefer) < 0)
        NEED(errno == EPERM || errno == ENOPROTOOPT);
}
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    busy(listener);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    busy(client), busy(server);
    give(client, "there already");
    take(server, "there already");
    int go[2];
    TRY(pipe(go));
    pid_t child = fork();
    if (!child) {
        close(server);
        take(go[0], "g");
        give(client, "later");
        _exit(0);
    }
    give(go[1], "g");
    take(server, "later");
    reap(child, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof to;
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    busy(receiver), busy(sender);
    TRY(bind(receiver, (void *)&to, length));
    TRY(getsockname(receiver, (void *)&to, &length));
    NEED(sendto(sender, "gram", 4, 0, (void *)&to, length) == 4);
    take(receiver, "gram");
    return 0;
}
