// A child that is killed with a connection open: its peer sees the end of the stream.
#include "guest.h"
int main(void) {
    int pair[2], status;
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pid_t child = fork();
    if (!child) {
        close(pair[0]);
        give(pair[1], "ready");
        pause();
    }
    close(pair[1]);
    take(pair[0], "ready");
    kill(child, SIGKILL);
    end_of(pair[0]);
    NEED(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}
