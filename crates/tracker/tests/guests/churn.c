// Threads that make short-lived threads at the same time: every one begins once and ends once.
// graph: counts
#include "guest.h"
static void *leaf(void *unused) { return unused; }
static void *branch(void *unused) {
    for (int i = 0; i < 25; i++) {
        pthread_t thread;
        NEED(pthread_create(&thread, 0, leaf, 0) == 0);
        pthread_join(thread, 0);
    }
    return unused;
}
int main(void) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) NEED(pthread_create(&threads[i], 0, branch, 0) == 0);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], 0);
}
