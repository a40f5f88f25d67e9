// A connection made by its first send (MSG_FASTOPEN, TCP_FASTOPEN_CONNECT): a connect and a send in
// one call.
#include "guest.h"
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address), queue = 8, on = 1;
    setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (sendto(client, "first", 5, MSG_FASTOPEN, (void *)&address, sizeof address) != 5) exit(77);
    int server = accept(listener, 0, 0);
    take(server, "first");
    give(server, "answer");
    take(client, "answer");
    TRY(close(client));
    end_of(server);
    client = socket(AF_INET, SOCK_STREAM, 0);
    if (setsockopt(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) < 0) exit(77);
    TRY(connect(client, (void *)&address, sizeof address));
    give(client, "second");
    server = accept(listener, 0, 0);
    take(server, "second");
    TRY(close(client));
    TRY(close(server));
    TRY(close(listener));
    // Nobody listens any more.
    client = socket(AF_INET, SOCK_STREAM, 0);
    NEED(sendto(client, "third", 5, MSG_FASTOPEN, (void *)&address, sizeof address) == -1 && errno == ECONNREFUSED);
    return 0;
}
