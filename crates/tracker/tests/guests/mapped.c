// A server on an IPv6 socket, a client on IPv4: the addresses are those of one connection.
#include "guest.h"
int main(void) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    socklen_t length = sizeof six;
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    if (listener < 0) return 77; // no IPv6 here
    TRY(bind(listener, (void *)&six, length));
    TRY(getsockname(listener, (void *)&six, &length));
    TRY(listen(listener, 1));
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = six.sin6_port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = tcp_connect(&four), server = accept(listener, 0, 0);
    give(client, "four to six");
    take(server, "four to six");
    six.sin6_addr = in6addr_loopback;
    int other = socket(AF_INET6, SOCK_STREAM, 0);
    if (connect(other, (void *)&six, sizeof six) < 0) return 77;
    int second = accept(listener, 0, 0);
    give(second, "six to six");
    take(other, "six to six");
}
