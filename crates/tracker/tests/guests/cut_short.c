// Receives that a signal or a time limit cuts short: what they had is theirs, what comes later is
// received later; a receive that had nothing says so.
#include "guest.h"
static void nothing(int signal) {}
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    char buffer[16];
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, 0);
    // Again and again: one alarm may come before the receive.
    struct itimerval soon = {{0, 20000}, {0, 20000}}, never = {0};
    give(client, "abc");
    setitimer(ITIMER_REAL, &soon, 0);
    NEED(recv(server, buffer, 8, MSG_WAITALL) == 3);
    NEED(recv(server, buffer, 8, 0) == -1 && errno == EINTR);
    setitimer(ITIMER_REAL, &never, 0);
    struct timeval limit = {0, 20000};
    TRY(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    NEED(read(server, buffer, 8) == -1 && errno == EAGAIN);
    give(client, "def");
    NEED(recv(server, buffer, 8, MSG_WAITALL) == 3);
    return 0;
}
