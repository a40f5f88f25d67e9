// Sockets that are their own peers: a TCP connection of a socket to its own address, a datagram
// socket connected to itself. And addresses that mean this machine: connecting to 0.0.0.0 and to ::.
#include "guest.h"
int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int own = socket(AF_INET, SOCK_STREAM, 0);
    TRY(bind(own, (void *)&address, length));
    TRY(getsockname(own, (void *)&address, &length));
    TRY(connect(own, (void *)&address, length));
    give(own, "to myself");
    take(own, "to myself");
    TRY(shutdown(own, SHUT_WR));
    end_of(own);
    TRY(close(own));

    int grams = socket(AF_INET, SOCK_DGRAM, 0);
    address.sin_port = 0;
    TRY(bind(grams, (void *)&address, length));
    TRY(getsockname(grams, (void *)&address, &length));
    TRY(connect(grams, (void *)&address, length));
    give(grams, "gram");
    take(grams, "gram");
    TRY(close(grams));

    int listener = tcp_listen(&address);
    struct sockaddr_in any = address;
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    int client = tcp_connect(&any), server = accept(listener, 0, 0);
    give(client, "to any");
    take(server, "to any");
    TRY(close(server));
    end_of(client);
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    address.sin_port = 0;
    TRY(bind(receiver, (void *)&address, length));
    TRY(getsockname(receiver, (void *)&address, &length));
    any.sin_port = address.sin_port;
    NEED(sendto(sender, "any gram", 8, 0, (void *)&any, length) == 8);
    take(receiver, "any gram");
    return 0;
}
