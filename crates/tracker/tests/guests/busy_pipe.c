// A process talks to itself through a pipe, so much that this is let through after a while; then a
// child inherits it: what lies in it is received from the parent, and a thread of the parent that
// waits in a read receives from the child.
// graph: counts
#include "guest.h"
static int ends[2];
static void *waits(void *unused) {
    take(ends[0], "reply");
    return unused;
}
int main(void) {
    TRY(pipe(ends));
    for (int i = 0; i < 600; i++) {
        give(ends[1], "wake");
        take(ends[0], "wake");
    }
    give(ends[1], "left");
    pid_t child = fork();
    if (!child) {
        take(ends[0], "left");
        _exit(0);
    }
    reap(child, 0);
    give(ends[1], "quiet again");
    take(ends[0], "quiet again");
    pthread_t thread;
    NEED(!pthread_create(&thread, 0, waits, 0));
    usleep(200000);
    child = fork();
    if (!child) {
        give(ends[1], "reply");
        _exit(0);
    }
    NEED(!pthread_join(thread, 0));
    reap(child, 0);
}
