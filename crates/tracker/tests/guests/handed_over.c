// A connection is handed to a worker (SCM_RIGHTS) with a request in it that nobody has read. While it
// is under way no process holds it, and yet its client's send did not fail: what the client does
// next does not follow from the hand-over.
#include "guest.h"
#include <poll.h>
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int pair[2], go[2];
    TRY(pipe(go));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 'c';
    struct iovec part = {&byte, 1};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    pid_t worker = fork();
    if (!worker) {
        close(listener), close(pair[0]);
        take(go[0], "go");
        NEED(recvmsg(pair[1], &header, 0) == 1);
        int got;
        memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof got);
        take(got, "request");
        give(got, "answer");
        exit(0);
    }
    pid_t asks = fork();
    if (!asks) {
        close(listener), close(pair[0]), close(pair[1]);
        int client = tcp_connect(&address);
        give(client, "request");
        take(client, "answer");
        end_of(client);
        exit(0);
    }
    int server = accept(listener, 0, 0);
    struct pollfd ready = {server, POLLIN, 0};
    NEED(poll(&ready, 1, 10000) == 1);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(rights), &server, sizeof server);
    NEED(sendmsg(pair[0], &header, 0) == 1);
    TRY(close(server));
    give(go[1], "go");
    reap(worker, 0);
    reap(asks, 0);
    return 0;
}
