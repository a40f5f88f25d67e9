// recvmmsg with a time limit and MSG_WAITFORONE returns what is there; sendmmsg with a message that
// cannot be read sends those before it.
#include "guest.h"
#define COUNT 5
int main(void) {
    int pair[2];
    TRY(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    char text[COUNT][8];
    struct iovec parts[COUNT];
    struct mmsghdr messages[COUNT];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof text[i], "no. %d", i);
        parts[i] = (struct iovec){text[i], 5};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    parts[3].iov_base = (void *)8;
    NEED(sendmmsg(pair[0], messages, COUNT, MSG_DONTWAIT) == 3);
    NEED(sendmmsg(pair[0], messages + 3, 2, 0) == -1 && errno == EFAULT);
    parts[3].iov_base = text[3];
    struct timespec limit = {0, 50000000};
    NEED(recvmmsg(pair[1], messages, 2, 0, &limit) == 2 && messages[1].msg_len == 5);
    NEED(recvmmsg(pair[1], messages, COUNT, MSG_WAITFORONE, 0) == 1);
    NEED(recvmmsg(pair[1], messages, COUNT, MSG_DONTWAIT, 0) == -1 && errno == EAGAIN);
    return 0;
}
