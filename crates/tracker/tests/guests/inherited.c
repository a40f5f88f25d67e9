// A socket that a program inherits through exec under a number it never asked for.
#include "guest.h"
int main(int count, char **arguments) {
    if (count > 1) {
        take(50, "query");
        give(50, "reply");
        return 0;
    }
    int pair[2];
    TRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    pid_t child = fork();
    if (!child) {
        dup2(pair[1], 50);
        execl(arguments[0], arguments[0], "again", (char *)0);
    }
    close(pair[1]);
    give(pair[0], "query");
    take(pair[0], "reply");
    end_of(pair[0]);
    reap(child, 0);
}
