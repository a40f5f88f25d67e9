// Processes that are killed by a thread of their own while another one opens descriptors, each at
// another moment: killed.c SEED COUNT. Ends with 0 if every one of them was killed.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long state;
static unsigned below(unsigned limit) {
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    return (unsigned)(state >> 33) % limit;
}

static void *end_all(void *rounds) {
    for (volatile long left = (long)rounds; left > 0; left--) {}
    kill(getpid(), SIGKILL);
    return 0;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    state = strtoul(arguments[1], 0, 10);
    for (long left = atol(arguments[2]); left > 0; left--) {
        long rounds = below(400000);
        pid_t child = fork();
        if (child < 0) return 3;
        if (child == 0) {
            pthread_t thread;
            if (pthread_create(&thread, 0, end_all, (void *)rounds)) _exit(4);
            // Each number is new to the process.
            for (int number = 10;; number = number < 900 ? number + 3 : 10) {
                int made = socket(AF_INET, SOCK_STREAM, 0);
                dup2(made, number);
                close(made);
            }
        }
        int status;
        if (waitpid(child, &status, 0) != child) return 5;
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) return 6;
    }
    return 0;
}
