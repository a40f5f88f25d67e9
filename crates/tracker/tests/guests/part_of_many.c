// sendmmsg on a stream that has not room for all: the last of the messages taken is cut, and the
// next call goes on where it ended.
#include "guest.h"
#include <sys/ioctl.h>
int main(void) {
    int pair[2], small = 4096;
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    TRY(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
    static char text[3][65536];
    struct iovec parts[3];
    struct mmsghdr messages[3];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 3; i++) {
        memset(text[i], 'a' + i, sizeof text[i]);
        parts[i] = (struct iovec){text[i], i ? sizeof text[i] : 100};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    NEED(sendmmsg(pair[0], messages, 3, MSG_DONTWAIT) == 2);
    int sent = 100 + messages[1].msg_len, waiting;
    NEED(messages[0].msg_len == 100 && messages[1].msg_len < 65536);
    TRY(ioctl(pair[1], FIONREAD, &waiting));
    NEED(waiting == sent);
    static char buffer[131072];
    NEED(recv(pair[1], buffer, sizeof buffer, 0) <= sent);
    while (ioctl(pair[1], FIONREAD, &waiting) == 0 && waiting) TRY(read(pair[1], buffer, sizeof buffer));
    give(pair[0], "the rest");
    take(pair[1], "the rest");
    return 0;
}
