// A thread that is not the first makes a process by clone3 with CLONE_VFORK, which execs; then itself
// execs while other threads wait in receives. What the new program inherits goes on.
#include "guest.h"
static int pair[2], own[2];
static char **words;
static void *waits(void *unused) {
    char byte;
    read(own[0], &byte, 1);
    return 0;
}
static void *execs(void *unused) {
    // Its own memory: it runs on this stack.
    struct clone_args arguments = {.flags = CLONE_VFORK, .exit_signal = SIGCHLD};
    pid_t child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        execl(words[0], words[0], "child", (char *)0);
        _exit(1);
    }
    TRY(child);
    take(pair[0], "from the child");
    reap(child, 0);
    char number[16];
    snprintf(number, sizeof number, "%d", pair[0]);
    execl(words[0], words[0], "again", number, (char *)0);
    exit(1);
}
int main(int count, char **arguments) {
    if (count == 2) {
        give(7, "from the child");
        return 0;
    }
    if (count == 3) {
        give(atoi(arguments[2]), "new program");
        take(7, "new program");
        return 0;
    }
    words = arguments;
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    TRY(dup2(pair[1], 7));
    TRY(close(pair[1]));
    TRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, own));
    pthread_t thread;
    NEED(pthread_create(&thread, 0, waits, 0) == 0);
    NEED(pthread_create(&thread, 0, execs, 0) == 0);
    waits(0);
    return 0;
}
