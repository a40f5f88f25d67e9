// Messages of no bytes: AF_UNIX packets and datagrams, UDP. They are messages, and no ends.
#include "guest.h"
static void empty(int from) {
    char byte;
    NEED(recv(from, &byte, 1, 0) == 0);
}
int main(void) {
    for (int kind = 0; kind < 2; kind++) {
        int pair[2];
        TRY(socketpair(AF_UNIX, kind ? SOCK_DGRAM : SOCK_SEQPACKET, 0, pair));
        give(pair[0], "first");
        NEED(send(pair[0], "", 0, 0) == 0);
        give(pair[0], "third");
        NEED(send(pair[0], "", 0, 0) == 0);
        take(pair[1], "first");
        empty(pair[1]);
        take(pair[1], "third");
        empty(pair[1]);
        TRY(close(pair[0]));
        if (!kind) end_of(pair[1]);
        TRY(close(pair[1]));
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    TRY(bind(receiver, (void *)&address, length));
    TRY(getsockname(receiver, (void *)&address, &length));
    NEED(sendto(sender, "", 0, 0, (void *)&address, length) == 0);
    empty(receiver);
    // Of a stream nothing arrives.
    int stream[2];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, stream));
    NEED(send(stream[0], "", 0, 0) == 0);
    give(stream[0], "bytes");
    take(stream[1], "bytes");
    return 0;
}
