// A log that is a link to the standard output, as containers have it, and a link to a link to a FIFO:
// what is written there goes through the pipe it leads to.
#include "guest.h"
int main(void) {
    char name[] = "/tmp/linchpin-guest-XXXXXX";
    NEED(mkdtemp(name));
    TRY(chdir(name));
    int ends[2];
    TRY(pipe(ends));
    TRY(symlink("/proc/self/fd/1", "log"));
    TRY(mkfifo("fifo", 0600));
    TRY(mkdir("links", 0700));
    TRY(symlink("../fifo", "links/one"));
    TRY(symlink("links/one", "two"));
    pid_t child = fork();
    if (child == 0) {
        TRY(dup2(ends[1], 1));
        close(ends[0]), close(ends[1]);
        for (int i = 0; i < 100; i++) TRY(open("/dev/null", O_RDONLY)); // a number nobody expects
        int log = open("log", O_WRONLY | O_APPEND);
        give(log, "to the log");
        int fifo = open("two", O_WRONLY);
        give(fifo, "through links");
        exit(0);
    }
    close(ends[1]);
    take(ends[0], "to the log");
    int fifo = open("fifo", O_RDONLY);
    take(fifo, "through links");
    reap(child, 0);
    end_of(ends[0]);
    end_of(fifo);
    unlink("log"), unlink("fifo"), unlink("links/one"), unlink("two"), rmdir("links");
    TRY(chdir("/"));
    rmdir(name);
    return 0;
}
