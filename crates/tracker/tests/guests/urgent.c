// Urgent bytes (MSG_OOB): out of the stream's order, or in it (SO_OOBINLINE). The tracer says that it
// does not follow them; the program sees what it would see without it.
// unexplained: urgent bytes
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    char buffer[16];
    give(client, "abc");
    NEED(send(client, "!", 1, MSG_OOB) == 1);
    give(client, "def");
    usleep(1000);
    NEED(read(server, buffer, 16) == 3 && !memcmp(buffer, "abc", 3)); // it stops at the mark
    NEED(recv(server, buffer, 1, MSG_OOB) == 1 && *buffer == '!');
    NEED(read(server, buffer, 16) == 3 && !memcmp(buffer, "def", 3));
    int on = 1;
    TRY(setsockopt(server, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
    NEED(send(client, "ghi", 3, MSG_OOB) == 3);
    usleep(1000);
    NEED(read(server, buffer, 16) == 2);
    NEED(read(server, buffer, 16) == 1 && *buffer == 'i');
    return 0;
}
