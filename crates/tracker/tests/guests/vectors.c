// writev, readv, sendmsg, recvmsg, sendmmsg, recvmmsg: one message in several parts, several at once.
#include "guest.h"
int main(void) {
    int ends[2];
    char left[3], right[16];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    struct iovec out[2] = {{"abc", 3}, {"defg", 4}}, in[2] = {{left, 3}, {right, 16}};
    NEED(writev(ends[0], out, 2) == 7);
    NEED(readv(ends[1], in, 2) == 7);
    struct msghdr send = {.msg_iov = out, .msg_iovlen = 2}, receive = {.msg_iov = in, .msg_iovlen = 2};
    NEED(sendmsg(ends[0], &send, 0) == 7);
    NEED(recvmsg(ends[1], &receive, 0) == 7);

    int datagrams[2];
    TRY(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams));
    struct mmsghdr sends[2] = {{.msg_hdr = {.msg_iov = &out[0], .msg_iovlen = 1}},
                               {.msg_hdr = {.msg_iov = &out[1], .msg_iovlen = 1}}};
    struct mmsghdr receives[2] = {{.msg_hdr = {.msg_iov = &in[0], .msg_iovlen = 1}},
                                  {.msg_hdr = {.msg_iov = &in[1], .msg_iovlen = 1}}};
    NEED(sendmmsg(datagrams[0], sends, 2, 0) == 2);
    NEED(recvmmsg(datagrams[1], receives, 2, 0, 0) == 2);
}
