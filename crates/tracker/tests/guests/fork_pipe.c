// A child writes to a pipe and exits; the parent reads, sees the end of the stream, and waits.
#include "guest.h"
int main(void) {
    int ends[2];
    TRY(pipe(ends));
    pid_t child = fork();
    if (!child) {
        close(ends[0]);
        give(ends[1], "hello");
        _exit(3);
    }
    close(ends[1]);
    take(ends[0], "hello");
    end_of(ends[0]);
    reap(child, 3);
}
