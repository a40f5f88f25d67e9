// A process that is killed in the middle of a write that the pipe had no room for: what the pipe took
// is received, and then comes the end.
#include "guest.h"
#include <sys/ioctl.h>
int main(void) {
    static char bytes[1 << 20];
    int ends[2], status, size = 0;
    TRY(pipe(ends));
    int room = fcntl(ends[0], F_SETPIPE_SZ, 4096);
    pid_t child = fork();
    if (!child) {
        close(ends[0]);
        memset(bytes, 'w', sizeof bytes);
        NEED(write(ends[1], bytes, sizeof bytes) == -2); // never
    }
    close(ends[1]);
    while (size < room) TRY(ioctl(ends[0], FIONREAD, &size));
    kill(child, SIGKILL);
    NEED(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    NEED(read(ends[0], bytes, sizeof bytes) == room);
    end_of(ends[0]);
    return 0;
}
