// A datagram is peeked at for its true length (MSG_PEEK | MSG_TRUNC), and then received; a stream
// is peeked at twice and read once.
#include "guest.h"
int main(void) {
    int pair[2];
    char buffer[64];
    TRY(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    give(pair[0], "twelve bytes");
    NEED(recv(pair[1], buffer, 1, MSG_PEEK | MSG_TRUNC) == 12);
    take(pair[1], "twelve bytes");
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    give(client, "abcdef");
    NEED(recv(server, buffer, 3, MSG_PEEK) == 3);
    NEED(recv(server, buffer, 64, MSG_PEEK) == 6);
    NEED(recv(server, buffer, 4, MSG_TRUNC) == 4);
    NEED(recv(server, buffer, 64, MSG_DONTWAIT) == 2 && !memcmp(buffer, "ef", 2));
    NEED(recv(server, buffer, 64, MSG_DONTWAIT) == -1 && errno == EAGAIN);
}
