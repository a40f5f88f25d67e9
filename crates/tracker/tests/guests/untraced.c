// CLONE_UNTRACED would hide a child from its tracer: by clone and by clone3, it does not.
#include "guest.h"
#include <stdint.h>
static void child(int end, const char *text) {
    give(end, text);
    _exit(0);
}
int main(void) {
    int ends[2];
    TRY(pipe(ends));
    long one = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
    if (!one) child(ends[1], "one");
    reap(one, 0);
    struct clone_args arguments = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};
    long two = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (!two) child(ends[1], "two");
    reap(two, 0);
    take(ends[0], "onetwo");
}
