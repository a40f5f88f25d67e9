// A descriptor is closed by one thread, and its number used for another connection, while a thread
// waits in a read on it: the read goes on with the connection it began on.
#include "guest.h"
static int server;
static void *waits(void *unused) {
    take(server, "for the first");
    return 0;
}
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address);
    server = accept(listener, 0, 0);
    int client2 = tcp_connect(&address), server2 = accept(listener, 0, 0);
    pthread_t thread;
    NEED(pthread_create(&thread, 0, waits, 0) == 0);
    usleep(20000);
    NEED(dup2(server2, server) == server);
    give(client2, "for the second");
    take(server, "for the second");
    give(client, "for the first");
    pthread_join(thread, 0);
    return 0;
}
