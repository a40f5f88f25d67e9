// A connection goes to another process (SCM_RIGHTS) while some of its bytes are unread: the first
// process has read a part, the second reads the rest, and answers.
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
        NEED(recvmsg(pair[1], &header, MSG_CMSG_CLOEXEC) == 1);
        int got;
        memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof got);
        take(got, "cdef");
        give(got, "thanks");
        exit(0);
    }
    give(client, "abcdef");
    char buffer[2];
    NEED(read(server, buffer, 2) == 2);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(rights), &server, sizeof server);
    NEED(sendmsg(pair[0], &header, 0) == 1);
    TRY(close(server));
    reap(child, 0);
    take(client, "thanks");
    end_of(client);
    return 0;
}
