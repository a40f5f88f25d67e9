// SO_PEEK_OFF on a TCP connection: peeks go on where the last one ended; plain reads begin at the
// start all the same.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0), offset = 0;
    char buffer[16];
    if (setsockopt(server, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset) < 0) return 77; // before Linux 6.9
    give(client, "abcdef");
    NEED(recv(server, buffer, 2, MSG_PEEK) == 2 && !memcmp(buffer, "ab", 2));
    NEED(recv(server, buffer, 2, MSG_PEEK) == 2 && !memcmp(buffer, "cd", 2));
    NEED(read(server, buffer, 3) == 3 && !memcmp(buffer, "abc", 3));
    NEED(recv(server, buffer, 3, MSG_DONTWAIT) == 3 && !memcmp(buffer, "def", 3));
}
