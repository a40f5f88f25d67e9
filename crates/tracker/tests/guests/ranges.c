// close_range: a range that ends before it begins closes nothing, nor do unknown flags; with
// CLOSE_RANGE_CLOEXEC everything stays open until an exec; the whole range closes all.
#include "guest.h"
int main(void) {
    int one[2], other[2];
    TRY(pipe(one));
    TRY(pipe(other));
    NEED(syscall(SYS_close_range, 9, 3, 0) == -1 && errno == EINVAL);
    NEED(syscall(SYS_close_range, ~0U, 3, 0) == -1 && errno == EINVAL);
    NEED(syscall(SYS_close_range, 3, ~0U, 64) == -1 && errno == EINVAL);
    TRY(syscall(SYS_close_range, one[1], one[1], CLOSE_RANGE_CLOEXEC));
    give(one[1], "open");
    take(one[0], "open");
    TRY(syscall(SYS_close_range, other[1], 100, 0));
    end_of(other[0]);
    pid_t child = fork();
    if (child == 0) {
        TRY(syscall(SYS_close_range, 0, ~0U, 0));
        exit(0);
    }
    reap(child, 0);
    TRY(close(one[1]));
    end_of(one[0]);
    return 0;
}
