// A FIFO between two processes that opened it by name; a second life of the same FIFO.
#include "guest.h"
int main(int count, char **arguments) {
    (void)count;
    char path[256];
    snprintf(path, sizeof path, "%.200s.fifo", arguments[0]);
    TRY(mkfifo(path, 0600));
    for (int round = 0; round < 2; round++) {
        pid_t child = fork();
        if (!child) {
            int out = open(path, O_WRONLY);
            give(out, "named");
            _exit(0);
        }
        int in = open(path, O_RDONLY);
        take(in, "named");
        end_of(in);
        close(in);
        reap(child, 0);
    }
    unlink(path);
}
