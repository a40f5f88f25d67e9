// A descriptor sent over a socket (SCM_RIGHTS): the receiver writes to the same pipe.
#include "guest.h"
int main(void) {
    int pair[2], ends[2];
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {"!", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pid_t child = fork();
    if (!child) {
        char byte;
        part.iov_base = &byte;
        close(pair[0]);
        NEED(recvmsg(pair[1], &message, 0) == 1);
        give(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&message)), "through");
        _exit(0);
    }
    TRY(pipe(ends));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
    NEED(sendmsg(pair[0], &message, 0) == 1);
    close(ends[1]);
    take(ends[0], "through");
    end_of(ends[0]);
    reap(child, 0);
}
