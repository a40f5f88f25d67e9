// What every guest needs. A guest is one behaviour, small enough that its whole graph can be checked.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// Ends the guest with a code that says which line failed.
#define TRY(call) ((call) < 0 ? (exit(1 + __LINE__ % 250), 0) : 0)
#define NEED(condition) ((condition) ? 0 : (exit(1 + __LINE__ % 250), 0))

static inline int tcp_listen(struct sockaddr_in *address) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    TRY(bind(listener, (void *)address, length));
    TRY(getsockname(listener, (void *)address, &length));
    TRY(listen(listener, 8));
    return listener;
}

static inline int tcp_connect(struct sockaddr_in *address) {
    int client = socket(AF_INET, SOCK_STREAM, 0);
    TRY(connect(client, (void *)address, sizeof *address));
    return client;
}

static inline void give(int to, const char *text) { NEED(write(to, text, strlen(text)) == (ssize_t)strlen(text)); }

static inline void take(int from, const char *text) {
    char buffer[256];
    NEED(read(from, buffer, sizeof buffer) == (ssize_t)strlen(text) && !memcmp(buffer, text, strlen(text)));
}

static inline void end_of(int from) {
    char byte;
    NEED(read(from, &byte, 1) == 0);
}

static inline void reap(pid_t child, int code) {
    int status;
    NEED(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == code);
}
