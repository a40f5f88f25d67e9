// A message with a descriptor that is peeked at first: each receive gives a descriptor of its own, and
// all of them must go before the end. Packets by recvmmsg, one of which carries a descriptor.
#include "guest.h"
static char control[CMSG_SPACE(sizeof(int))];
static char byte;
static struct iovec part = {&byte, 1};
static int got_of(struct msghdr *header) {
    int got;
    NEED(CMSG_FIRSTHDR(header) != 0);
    memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(header)), sizeof got);
    return got;
}
static void pass(int to, int number) {
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(rights), &number, sizeof number);
    NEED(sendmsg(to, &header, 0) == 1);
}
int main(void) {
    int pair[2], ends[2];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    TRY(pipe(ends));
    byte = 'p';
    pass(pair[0], ends[1]);
    TRY(close(ends[1]));
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    NEED(recvmsg(pair[1], &header, MSG_PEEK) == 1);
    int first = got_of(&header);
    give(first, "by the first");
    header.msg_controllen = sizeof control;
    NEED(recvmsg(pair[1], &header, 0) == 1);
    int second = got_of(&header);
    TRY(close(first));
    give(second, ", the second");
    take(ends[0], "by the first, the second");
    TRY(close(second));
    end_of(ends[0]);

    int packets[2];
    TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets));
    give(packets[0], "1");
    TRY(pipe(ends));
    byte = '2';
    pass(packets[0], ends[1]);
    TRY(close(ends[1]));
    give(packets[0], "3");
    char bytes[3];
    struct iovec parts[3];
    struct mmsghdr messages[3] = {0};
    for (int i = 0; i < 3; i++) {
        parts[i] = (struct iovec){&bytes[i], 1};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    messages[1].msg_hdr.msg_control = control;
    messages[1].msg_hdr.msg_controllen = sizeof control;
    NEED(recvmmsg(packets[1], messages, 3, 0, 0) == 3 && !memcmp(bytes, "123", 3));
    int last = got_of(&messages[1].msg_hdr);
    give(last, "by a packet");
    take(ends[0], "by a packet");
    TRY(close(last));
    end_of(ends[0]);
    return 0;
}
