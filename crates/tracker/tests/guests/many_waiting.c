// Three hundred threads that wait, each on a connection of its own, and a process that ends while they
// all wait again.
// graph: counts
#include "guest.h"
#define COUNT 300
static int pairs[COUNT][2], done[2];
static void *wait_for(void *index) {
    int own = pairs[(long)index][1];
    take(own, "ping");
    give(own, "pong");
    take(own, "never");
    return 0;
}
int main(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    pid_t child = fork();
    if (child == 0) {
        for (long i = 0; i < COUNT; i++) {
            pthread_t thread;
            TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]));
            NEED(pthread_create(&thread, &attributes, wait_for, (void *)i) == 0);
        }
        for (int i = 0; i < COUNT; i++) give(pairs[i][0], "ping");
        for (int i = 0; i < COUNT; i++) take(pairs[i][0], "pong");
        _exit(0);
    }
    reap(child, 0);
    return 0;
}
