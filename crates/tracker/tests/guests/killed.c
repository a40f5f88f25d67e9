// A child that is killed with a connection open: its peer sees the end of the stream.
#include "guest.h"
int main(void) {
    int pair[2], told[2], status;
    TRY(pipe(told));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pid_t child = fork();
    if (!child) {
        close(pair[0]);
        give(pair[1], "ready");
        close(told[1]); // its send has returned
        pause();
    }
    close(pair[1]);
    close(told[1]);
    take(pair[0], "ready");
    end_of(told[0]);
    kill(child, SIGKILL);
    end_of(pair[0]);
    NEED(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}
