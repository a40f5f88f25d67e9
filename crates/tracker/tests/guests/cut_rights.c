// Two descriptors in a message, and room for one: the other is closed by the kernel (MSG_CTRUNC). A
// message with descriptors that is thrown away with its socket takes them along.
#include "guest.h"
static char control[CMSG_SPACE(2 * sizeof(int))];
static void pass(int to, const int *numbers) {
    char byte = 'p';
    struct iovec part = {&byte, 1};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(2 * sizeof(int))};
    memcpy(CMSG_DATA(rights), numbers, 2 * sizeof(int));
    NEED(sendmsg(to, &header, 0) == 1);
}
int main(void) {
    int pair[2], one[2], two[2], byte = 0;
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    TRY(pipe(one));
    TRY(pipe(two));
    pass(pair[0], (int[]){one[1], two[1]});
    TRY(close(one[1]));
    TRY(close(two[1]));
    struct iovec part = {&byte, 1};
    char small[CMSG_LEN(sizeof(int))];
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = small, .msg_controllen = sizeof small};
    NEED(recvmsg(pair[1], &header, 0) == 1 && header.msg_flags & MSG_CTRUNC);
    int got;
    memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof got);
    end_of(two[0]);
    give(got, "the first");
    take(one[0], "the first");
    TRY(close(got));
    end_of(one[0]);
    return 0;
}
