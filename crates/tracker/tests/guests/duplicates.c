// dup, dup2, dup3, F_DUPFD: one channel under many numbers; only the last close ends it.
#include "guest.h"
int main(void) {
    int ends[2];
    TRY(pipe(ends));
    int one = dup(ends[1]), two = fcntl(ends[1], F_DUPFD_CLOEXEC, 100);
    NEED(dup2(ends[1], 200) == 200 && dup3(ends[1], 201, O_CLOEXEC) == 201);
    give(one, "a");
    give(two, "b");
    give(200, "c");
    give(201, "d");
    take(ends[0], "abcd");
    int null = open("/dev/null", O_RDONLY);
    close(ends[1]);
    close(one);
    close(two);
    dup2(null, 200);
    syscall(SYS_close_range, 201, 300, 0);
    end_of(ends[0]);
}
