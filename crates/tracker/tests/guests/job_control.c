// A child stops itself; its parent sees that, continues it, and it goes on where it was.
#include "guest.h"
int main(void) {
    int ends[2], status;
    TRY(pipe(ends));
    pid_t child = fork();
    if (!child) {
        raise(SIGSTOP);
        give(ends[1], "go");
        _exit(0);
    }
    NEED(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    kill(child, SIGCONT);
    take(ends[0], "go");
    reap(child, 0);
}
