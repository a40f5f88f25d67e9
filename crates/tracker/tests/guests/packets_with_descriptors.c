// Seqpackets that carry a pipe's end, and credentials: the boundaries hold, an empty read end of a
// pipe arrives, and what is written to the other end is received through it.
#include "guest.h"
int main(void) {
    int pair[2], ends[2], on = 1;
    TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    TRY(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    pid_t child = fork();
    char bytes[16], control[256] = {0};
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (!child) {
        close(pair[0]);
        NEED(recvmsg(pair[1], &message, 0) == 4 && !memcmp(bytes, "pipe", 4));
        int end = -1;
        for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
            if (header->cmsg_type == SCM_RIGHTS) memcpy(&end, CMSG_DATA(header), sizeof end);
        take(pair[1], "second packet");
        take(end, "through the pipe");
        end_of(end);
        _exit(0);
    }
    close(pair[1]);
    TRY(pipe(ends));
    memcpy(bytes, "pipe", 4);
    part.iov_len = 4;
    message.msg_controllen = CMSG_SPACE(sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &ends[0], sizeof(int));
    NEED(sendmsg(pair[0], &message, 0) == 4);
    close(ends[0]);
    give(pair[0], "second packet");
    give(ends[1], "through the pipe");
    close(ends[1]);
    reap(child, 0);
}
