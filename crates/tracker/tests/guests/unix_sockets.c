// AF_UNIX: a stream accepted from a path, datagrams to an abstract name, packets with boundaries.
#include "guest.h"
int main(int count, char **arguments) {
    (void)count;
    char buffer[64];
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    snprintf(path.sun_path, sizeof path.sun_path, "%.90s.sock", arguments[0]);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    TRY(bind(listener, (void *)&path, sizeof path));
    TRY(listen(listener, 2));
    int one = socket(AF_UNIX, SOCK_STREAM, 0), two = socket(AF_UNIX, SOCK_STREAM, 0);
    TRY(connect(one, (void *)&path, sizeof path));
    TRY(connect(two, (void *)&path, sizeof path));
    give(two, "early");
    int first = accept(listener, 0, 0), second = accept(listener, 0, 0);
    take(second, "early");
    give(first, "hello");
    take(one, "hello");
    unlink(path.sun_path);

    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int length = sizeof(sa_family_t) + 1 + sprintf(name.sun_path + 1, "guest-%d", getpid());
    int receiver = socket(AF_UNIX, SOCK_DGRAM, 0), sender = socket(AF_UNIX, SOCK_DGRAM, 0);
    TRY(bind(receiver, (void *)&name, length));
    NEED(sendto(sender, "gram", 4, 0, (void *)&name, length) == 4);
    NEED(recv(receiver, buffer, 64, 0) == 4);

    int packets[2];
    TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets));
    give(packets[0], "packet one");
    give(packets[0], "packet two");
    NEED(recv(packets[1], buffer, 6, 0) == 6);
    take(packets[1], "packet two");
    close(packets[0]);
    end_of(packets[1]);
}
