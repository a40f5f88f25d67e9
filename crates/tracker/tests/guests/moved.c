// sendfile and splice: bytes that pass no user memory; who receives them depends on who sent them.
#include "guest.h"
int main(int count, char **arguments) {
    (void)count;
    char buffer[64];
    int file = open(arguments[0], O_RDONLY), in[2], out[2];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, out));
    NEED(sendfile(out[0], file, 0, 40) == 40);
    NEED(read(out[1], buffer, 64) == 40);
    TRY(pipe(in));
    pid_t child = fork();
    if (!child) {
        give(in[1], "relayed");
        _exit(0);
    }
    // First, so that its SIGCHLD does not interrupt the splice: ptrace shows even ignored signals.
    reap(child, 0);
    NEED(splice(in[0], 0, out[0], 0, 100, 0) == 7);
    take(out[1], "relayed");
}
