// A thread that is not the first vforks; the child execs a program that writes to a pipe it knows
// as its standard output, while the first thread reads.
#include "guest.h"
static int ends[2];
static void *starts(void *unused) {
    pid_t child = vfork();
    if (!child) {
        dup2(ends[1], 1);
        execl("/bin/echo", "echo", "said", (char *)0);
        _exit(127);
    }
    close(ends[1]);
    reap(child, 0);
    return unused;
}
int main(void) {
    TRY(pipe(ends));
    pthread_t thread;
    NEED(!pthread_create(&thread, 0, starts, 0));
    take(ends[0], "said\n");
    end_of(ends[0]);
    NEED(!pthread_join(thread, 0));
}
