// vmsplice into a pipe and out of one; splice from a socket to a pipe to a file, and back to a socket.
#include "guest.h"
int main(void) {
    int ends[2], pair[2];
    TRY(pipe(ends));
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        char buffer[32];
        struct iovec part = {buffer, sizeof buffer};
        NEED(vmsplice(ends[0], &part, 1, 0) == 11 && !memcmp(buffer, "hello there", 11));
        end_of(ends[0]);
        exit(0);
    }
    close(ends[0]);
    struct iovec parts[2] = {{"hello ", 6}, {"there", 5}};
    NEED(vmsplice(ends[1], parts, 2, 0) == 11);
    TRY(close(ends[1]));
    reap(child, 0);
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    TRY(pipe(ends));
    char name[] = "/tmp/linchpin-guest-XXXXXX";
    int file = mkstemp(name);
    TRY(file);
    unlink(name);
    give(pair[0], "through a file");
    NEED(splice(pair[1], 0, ends[1], 0, 64, 0) == 14);
    NEED(splice(ends[0], 0, file, 0, 64, 0) == 14);
    loff_t start = 0;
    NEED(splice(file, &start, ends[1], 0, 64, 0) == 14);
    NEED(splice(ends[0], 0, pair[1], 0, 64, 0) == 14);
    take(pair[0], "through a file");
    return 0;
}
