// MPTCP: sockets of another protocol, with the calls and the order of TCP; and a plain client of
// such a server, which is what servers in Go have.
#include "guest.h"
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
static void talk(int client, int server) {
    give(client, "question");
    take(server, "question");
    give(server, "ans");
    give(server, "wer");
    char buffer[8];
    NEED(recv(client, buffer, 6, MSG_WAITALL) == 6 && !memcmp(buffer, "answer", 6));
    TRY(close(client));
    end_of(server);
    TRY(close(server));
}
int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
    if (listener < 0) exit(77);
    TRY(bind(listener, (void *)&address, length));
    TRY(getsockname(listener, (void *)&address, &length));
    TRY(listen(listener, 8));
    int client = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
    TRY(connect(client, (void *)&address, sizeof address));
    talk(client, accept(listener, 0, 0));
    client = tcp_connect(&address);
    talk(client, accept(listener, 0, 0));
    return 0;
}
