// A process is stopped and continued (SIGSTOP, SIGCONT) while it waits in a receive, and children end
// around it (SIGCHLD): the receive returns what was sent, once.
#include "guest.h"
static volatile int ended;
static void child_ended(int signal) { ended++; }
int main(void) {
    int pair[2], status;
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pid_t child = fork();
    if (child == 0) {
        close(pair[0]);
        struct sigaction action = {.sa_handler = child_ended, .sa_flags = SA_RESTART};
        sigaction(SIGCHLD, &action, 0);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            usleep(10000);
            _exit(0);
        }
        take(pair[1], "at last");
        reap(grandchild, 0);
        NEED(ended == 1);
        exit(0);
    }
    close(pair[1]);
    usleep(20000);
    for (int i = 0; i < 3; i++) {
        TRY(kill(child, SIGSTOP));
        NEED(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
        TRY(kill(child, SIGCONT));
        NEED(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    }
    give(pair[0], "at last");
    reap(child, 0);
    return 0;
}
