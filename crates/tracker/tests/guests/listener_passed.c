// A listening socket goes to another process (SCM_RIGHTS), which accepts on it.
#include "guest.h"
int main(void) {
    int pair[2];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pid_t child = fork();
    char byte = 'L', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (!child) {
        close(pair[0]);
        NEED(recvmsg(pair[1], &message, 0) == 1);
        int listener;
        memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof listener);
        int server = accept(listener, 0, 0);
        TRY(server);
        take(server, "to whoever accepts");
        give(server, "it was I");
        _exit(0);
    }
    close(pair[1]);
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &listener, sizeof listener);
    NEED(sendmsg(pair[0], &message, 0) == 1);
    close(listener);
    int client = tcp_connect(&address);
    give(client, "to whoever accepts");
    take(client, "it was I");
    reap(child, 0);
}
