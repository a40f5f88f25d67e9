// A connect that is under way when it returns; the first receive shows that it succeeded.
#include "guest.h"
#include <poll.h>
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    pid_t child = fork();
    if (!child) {
        int server = accept(listener, 0, 0);
        give(server, "welcome");
        _exit(0);
    }
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    NEED(connect(client, (void *)&address, sizeof address) == -1 && errno == EINPROGRESS);
    struct pollfd ready = {client, POLLIN, 0};
    NEED(poll(&ready, 1, 10000) == 1);
    take(client, "welcome");
    reap(child, 0);
}
