// MSG_WAITALL waits for all bytes asked for, from as many sends as that takes; the end of the stream
// cuts it short. A low-water mark lets a plain read wait as well.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int go[2];
    TRY(pipe(go));
    pid_t child = fork();
    if (child == 0) {
        int client = tcp_connect(&address);
        give(client, "abc");
        take(go[0], "1");
        give(client, "defg");
        take(go[0], "2");
        give(client, "hi");
        exit(0);
    }
    int server = accept(listener, 0, 0);
    char buffer[64];
    NEED(recv(server, buffer, 2, MSG_WAITALL) == 2);
    give(go[1], "1");
    NEED(recv(server, buffer, 5, MSG_WAITALL) == 5 && !memcmp(buffer, "cdefg", 5));
    give(go[1], "2");
    NEED(recv(server, buffer, 64, MSG_WAITALL) == 2 && !memcmp(buffer, "hi", 2));
    reap(child, 0);
    end_of(server);
    return 0;
}
