// A server that polls: reads that find nothing, a part, all of it, more than their buffer, an end
// and a reset. Each returns what it would untraced.
#include "guest.h"
#include <poll.h>
static void readable(int from) {
    struct pollfd wait = {from, POLLIN, 0};
    NEED(poll(&wait, 1, 5000) == 1);
}
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept4(listener, 0, 0, SOCK_NONBLOCK);
    char buffer[64], large[70000];
    NEED(read(server, buffer, sizeof buffer) == -1 && errno == EAGAIN);
    give(client, "abcdef");
    readable(server);
    NEED(read(server, buffer, 4) == 4 && !memcmp(buffer, "abcd", 4));
    NEED(recv(server, buffer, sizeof buffer, 0) == 2 && !memcmp(buffer, "ef", 2));
    NEED(read(server, buffer, sizeof buffer) == -1 && errno == EAGAIN);
    // A buffer that cannot be written to: nothing is lost.
    give(client, "kept");
    readable(server);
    NEED(read(server, (void *)8, 10) == -1 && errno == EFAULT);
    NEED(read(server, buffer, 0) == 0);
    NEED(read(server, buffer, sizeof buffer) == 4 && !memcmp(buffer, "kept", 4));
    // A low-water mark: a receive that waits, waits for all of it.
    int mark = 5;
    TRY(setsockopt(client, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark));
    give(server, "abc");
    give(server, "de");
    NEED(read(client, buffer, sizeof buffer) == 5 && !memcmp(buffer, "abcde", 5));
    memset(large, 'x', sizeof large);
    NEED(write(client, large, 20000) == 20000);
    for (size_t got = 0; got < 20000;) {
        readable(server);
        ssize_t count = read(server, large, sizeof large);
        NEED(count > 0);
        got += count;
    }
    struct linger linger = {1, 0};
    TRY(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    close(client);
    readable(server);
    NEED(read(server, buffer, sizeof buffer) == -1 && errno == ECONNRESET);
    NEED(read(server, buffer, sizeof buffer) == 0);
}
