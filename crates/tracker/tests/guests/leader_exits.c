// The first thread ends before another, which goes on using descriptors, and then the process.
#include "guest.h"
static int ends[2];
static pthread_t first;
static void *other(void *unused) {
    pthread_join(first, 0);
    int pair[2];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    give(pair[0], "alone");
    take(pair[1], "alone");
    give(ends[1], "still here");
    take(ends[0], "still here");
    exit(4);
    return unused;
}
int main(void) {
    pthread_t thread;
    first = pthread_self();
    TRY(pipe(ends));
    pthread_create(&thread, 0, other, 0);
    pthread_exit(0);
}
