// The client shuts its writing side down, and still receives; then the server closes.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    pid_t child = fork();
    if (!child) {
        int client = tcp_connect(&address);
        give(client, "question");
        TRY(shutdown(client, SHUT_WR));
        take(client, "answer");
        end_of(client);
        _exit(0);
    }
    int server = accept(listener, 0, 0);
    take(server, "question");
    end_of(server);
    give(server, "answer");
    close(server);
    reap(child, 0);
}
