// MSG_ZEROCOPY: the kernel takes the pages and tells on the error queue when it has done with them.
#include "guest.h"
#include <linux/errqueue.h>
#include <poll.h>
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    int on = 1;
    if (setsockopt(client, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) < 0) exit(77);
    static char page[4096] = "from these pages";
    NEED(send(client, page, sizeof page, MSG_ZEROCOPY) == sizeof page);
    static char buffer[8192];
    NEED(recv(server, buffer, sizeof page, MSG_WAITALL) == sizeof page && !memcmp(buffer, page, sizeof page));
    struct pollfd waiting = {.fd = client, .events = 0};
    NEED(poll(&waiting, 1, 1000) == 1 && waiting.revents & POLLERR);
    char control[128];
    struct msghdr header = {.msg_control = control, .msg_controllen = sizeof control};
    NEED(recvmsg(client, &header, MSG_ERRQUEUE) == 0);
    struct sock_extended_err *done = (void *)CMSG_DATA(CMSG_FIRSTHDR(&header));
    NEED(done->ee_origin == SO_EE_ORIGIN_ZEROCOPY && done->ee_errno == 0);
    give(server, "got it");
    take(client, "got it");
    return 0;
}
