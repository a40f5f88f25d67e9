// 200 threads, each with a pipe of its own that the first thread writes to.
// graph: counts
#include "guest.h"
enum { COUNT = 200 };
static int ends[COUNT][2];
static void *reader(void *at) {
    take(*(int *)at, "x");
    return 0;
}
int main(void) {
    pthread_t threads[COUNT];
    for (int i = 0; i < COUNT; i++) {
        TRY(pipe(ends[i]));
        NEED(pthread_create(&threads[i], 0, reader, ends[i]) == 0);
    }
    for (int i = 0; i < COUNT; i++) give(ends[i][1], "x");
    for (int i = 0; i < COUNT; i++) pthread_join(threads[i], 0);
}
