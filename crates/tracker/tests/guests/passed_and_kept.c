// A connection goes to another process (SCM_RIGHTS), and its sender gives it up only after the
// receiver has it: the end comes after both of them, and after the copy that the receiver had before.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    int pair[2];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pid_t child = fork();
    char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (child == 0) {
        close(listener), close(client), close(server), close(pair[0]);
        NEED(recvmsg(pair[1], &header, 0) == 1);
        give(pair[1], "have it");
        take(pair[1], "gave it up");
        exit(0);
    }
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(rights), &server, sizeof server);
    NEED(sendmsg(pair[0], &header, 0) == 1);
    take(pair[0], "have it");
    TRY(close(server));
    give(pair[0], "gave it up");
    reap(child, 0);
    end_of(client);
    return 0;
}
