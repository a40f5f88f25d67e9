// exec from a thread that is not the first: it becomes the first, the others vanish.
#include "guest.h"
static int ends[2];
static void *other(void *self) {
    give(ends[1], "before");
    execl(self, self, "again", (char *)0);
    exit(1);
}
int main(int count, char **arguments) {
    if (count > 1) {
        take(3, "before");
        return 7;
    }
    pthread_t thread;
    TRY(pipe(ends));
    NEED(ends[0] == 3);
    pthread_create(&thread, 0, other, arguments[0]);
    pause();
}
