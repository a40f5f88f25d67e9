// Two threads read from one connection, and two processes from another; each byte is received once.
// graph: counts
#include "guest.h"
static int server;
static void *reader(void *unused) {
    for (int i = 0; i < 50; i++) {
        char byte;
        NEED(read(server, &byte, 1) == 1);
    }
    return 0;
}
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address);
    server = accept(listener, 0, 0);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) NEED(pthread_create(&threads[i], 0, reader, 0) == 0);
    for (int i = 0; i < 100; i++) NEED(write(client, "x", 1) == 1);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
    pid_t child = fork();
    if (child == 0) {
        reader(0);
        exit(0);
    }
    for (int i = 0; i < 100; i++) NEED(write(client, "y", 1) == 1);
    reader(0);
    reap(child, 0);
    return 0;
}
