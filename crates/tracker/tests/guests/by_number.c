// Pipes opened anew by their numbers (/dev/fd, /proc/self/fd), as shells and their programs do.
#include "guest.h"
int main(void) {
    int ends[2];
    char name[64];
    TRY(pipe(ends));
    snprintf(name, sizeof name, "/dev/fd/%d", ends[1]);
    int writer = open(name, O_WRONLY);
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    int reader = open(name, O_RDONLY);
    snprintf(name, sizeof name, "/proc/%d/fd/%d", getpid(), ends[0]);
    int other = open(name, O_RDONLY);
    TRY(writer), TRY(reader), TRY(other);
    TRY(close(ends[0]));
    pid_t child = fork();
    if (child == 0) {
        close(writer), close(ends[1]), close(other);
        take(reader, "by another number");
        end_of(reader);
        exit(0);
    }
    TRY(close(reader));
    give(writer, "by another number");
    TRY(close(ends[1]));
    TRY(close(writer));
    reap(child, 0);
    end_of(other);
    return 0;
}
