// A thread waits in a read when another execs: the read never returns, the connection lives on in
// the new program, which reads what comes.
#include "guest.h"
static int server;
static char *self;
static void *waits(void *unused) {
    char byte;
    (void)!read(server, &byte, 1);
    exit(3);
}
int main(int argc, char **argv) {
    if (argc == 3) {
        int got = atoi(argv[1]), other = atoi(argv[2]);
        give(other, "after exec");
        take(got, "after exec");
        return 0;
    }
    self = argv[0];
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address);
    server = accept(listener, 0, 0);
    TRY(fcntl(listener, F_SETFD, FD_CLOEXEC));
    pthread_t thread;
    NEED(pthread_create(&thread, 0, waits, 0) == 0);
    usleep(20000);
    char one[16], other[16];
    snprintf(one, sizeof one, "%d", server);
    snprintf(other, sizeof other, "%d", client);
    execl("/proc/self/exe", self, one, other, (char *)0);
    return 4;
}
