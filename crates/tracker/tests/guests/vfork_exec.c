// A vfork child runs another program; close-on-exec releases the pipe it had.
#include "guest.h"
int main(int count, char **arguments) {
    if (count > 1) return 5;
    int ends[2];
    TRY(pipe2(ends, O_CLOEXEC));
    pid_t child = vfork();
    if (!child) {
        execl(arguments[0], arguments[0], "again", (char *)0);
        _exit(1);
    }
    close(ends[1]);
    end_of(ends[0]);
    reap(child, 5);
}
