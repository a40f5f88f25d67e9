// A FIFO opened for reading and writing at once (O_RDWR) never ends for its holder; another process
// writes to it by its name.
#include "guest.h"
int main(int argc, char **argv) {
    char name[] = "/tmp/linchpin-guest-XXXXXX", path[64];
    NEED(mkdtemp(name));
    snprintf(path, sizeof path, "%s/fifo", name);
    TRY(mkfifo(path, 0600));
    int own = open(path, O_RDWR);
    TRY(own);
    give(own, "to myself");
    take(own, "to myself");
    pid_t child = fork();
    if (child == 0) {
        TRY(close(own));
        int writer = open(path, O_WRONLY);
        give(writer, "from the child");
        exit(0);
    }
    take(own, "from the child");
    reap(child, 0);
    TRY(fcntl(own, F_SETFL, O_NONBLOCK));
    char byte;
    NEED(read(own, &byte, 1) == -1 && errno == EAGAIN);
    unlink(path);
    rmdir(name);
    return 0;
}
