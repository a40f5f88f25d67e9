// A thread that parts with the table of descriptors it shared (unshare(CLONE_FILES)) and closes what
// it has of a connection: the others go on with theirs, and its end is that of the last.
#include "guest.h"
static int server, go[2];
static void *parts(void *unused) {
    TRY(unshare(CLONE_FILES));
    TRY(close(server));
    give(go[1], "closed");
    return 0;
}
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address);
    server = accept(listener, 0, 0);
    TRY(pipe(go));
    pthread_t thread;
    NEED(pthread_create(&thread, 0, parts, 0) == 0);
    take(go[0], "closed");
    pthread_join(thread, 0);
    give(client, "still open");
    take(server, "still open");
    give(server, "indeed");
    take(client, "indeed");
    TRY(close(server));
    end_of(client);
    return 0;
}
