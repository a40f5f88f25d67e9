// AF_UNIX names of the kernel's choosing, and a backlog of one: what does not fit is refused at once
// (EAGAIN), and fits when somebody was accepted. Datagrams find their way back by such names.
#include "guest.h"
static socklen_t named(int socket, struct sockaddr_un *name) {
    socklen_t length = sizeof(sa_family_t);
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    TRY(bind(socket, (void *)name, length));
    length = sizeof *name;
    TRY(getsockname(socket, (void *)name, &length));
    NEED(length > sizeof(sa_family_t));
    return length;
}
int main(void) {
    struct sockaddr_un name;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t length = named(listener, &name);
    TRY(listen(listener, 0));
    int first = socket(AF_UNIX, SOCK_STREAM, 0), second = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TRY(connect(first, (void *)&name, length));
    NEED(connect(second, (void *)&name, length) == -1 && errno == EAGAIN);
    int one = accept(listener, 0, 0);
    TRY(connect(second, (void *)&name, length));
    int two = accept(listener, 0, 0);
    give(first, "first"), give(second, "second");
    take(two, "second"), take(one, "first");

    int asks = socket(AF_UNIX, SOCK_DGRAM, 0), answers = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un other;
    named(asks, &other);
    length = named(answers, &name);
    NEED(sendto(asks, "question", 8, 0, (void *)&name, length) == 8);
    char buffer[16];
    socklen_t size = sizeof other;
    NEED(recvfrom(answers, buffer, sizeof buffer, 0, (void *)&other, &size) == 8);
    NEED(sendto(answers, "answer", 6, 0, (void *)&other, size) == 6);
    take(asks, "answer");
    return 0;
}
