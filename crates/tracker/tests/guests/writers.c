// Two processes write to one pipe in turn; the reader's bytes come from both.
#include "guest.h"
int main(void) {
    int ends[2];
    TRY(pipe(ends));
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (!child) {
            give(ends[1], i ? "second" : "first");
            _exit(0);
        }
        reap(child, 0);
    }
    take(ends[0], "firstsecond");
}
