// Four threads wait in accept on one socket and in turn serve what they accept; receives begin
// before their bytes are there, and several threads send on one connection.
// graph: counts
#include "guest.h"
static int listener;
static void *serves(void *unused) {
    for (int i = 0; i < 5; i++) {
        int server = accept(listener, 0, 0);
        TRY(server);
        take(server, "ask");
        give(server, "tell");
        end_of(server);
        close(server);
    }
    return unused;
}
int main(void) {
    struct sockaddr_in address;
    listener = tcp_listen(&address);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) NEED(!pthread_create(&threads[i], 0, serves, 0));
    for (int i = 0; i < 20; i++) {
        int client = tcp_connect(&address);
        usleep(1000);
        give(client, "ask");
        take(client, "tell");
        close(client);
    }
    for (int i = 0; i < 4; i++) NEED(!pthread_join(threads[i], 0));
}
