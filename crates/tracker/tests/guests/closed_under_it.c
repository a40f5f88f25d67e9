// A descriptor is closed by one thread, and its number used for another connection, while a thread
// waits in a read on it: the read goes on with the connection it began on.
#include "guest.h"
static int server;
static volatile pid_t waiting;
// Until the thread sleeps in its read.
static void until_it_reads(void) {
    while (!waiting) usleep(100);
    char path[64], line[256];
    for (;;) {
        snprintf(path, sizeof path, "/proc/self/task/%d/stat", waiting);
        FILE *file = fopen(path, "r");
        int asleep = fgets(line, sizeof line, file) && strstr(line, ") S ");
        fclose(file);
        snprintf(path, sizeof path, "/proc/self/task/%d/syscall", waiting);
        file = fopen(path, "r");
        int reads = fgets(line, sizeof line, file) && atoi(line) == SYS_read && line[0] != 'r';
        fclose(file);
        if (asleep && reads) return;
        usleep(100);
    }
}
static void *waits(void *unused) {
    waiting = gettid();
    take(server, "for the first");
    return 0;
}
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address);
    server = accept(listener, 0, 0);
    int client2 = tcp_connect(&address), server2 = accept(listener, 0, 0);
    pthread_t thread;
    NEED(pthread_create(&thread, 0, waits, 0) == 0);
    until_it_reads();
    NEED(dup2(server2, server) == server);
    give(client2, "for the second");
    take(server, "for the second");
    give(client, "for the first");
    pthread_join(thread, 0);
    return 0;
}
