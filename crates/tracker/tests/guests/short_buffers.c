// Messages larger than the buffer they are received in: the rest of a datagram or a packet is gone,
// and MSG_TRUNC tells how long it was; of a stream the rest stays.
#include "guest.h"
int main(void) {
    char buffer[64];
    int datagrams[2], packets[2], streams[2];
    TRY(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams));
    TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, streams));
    give(datagrams[0], "datagram");
    give(datagrams[0], "next");
    NEED(recv(datagrams[1], buffer, 4, MSG_TRUNC) == 8);
    NEED(recv(datagrams[1], buffer, 64, MSG_TRUNC) == 4);
    // Nothing tells these that they got a part. The first to come is the first to be received.
    give(datagrams[0], "longest of them");
    give(datagrams[0], "long");
    give(datagrams[0], "longer");
    NEED(read(datagrams[1], buffer, 3) == 3);
    NEED(read(datagrams[1], buffer, 4) == 4);
    NEED(read(datagrams[1], buffer, 5) == 5);
    give(packets[0], "packet");
    give(packets[0], "second");
    give(packets[0], "third");
    NEED(read(packets[1], buffer, 3) == 3);
    NEED(recv(packets[1], buffer, 2, MSG_TRUNC) == 6);
    struct iovec part = {buffer, 4};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    NEED(recvmsg(packets[1], &header, 0) == 4 && header.msg_flags & MSG_TRUNC);
    give(streams[0], "stream");
    NEED(read(streams[1], buffer, 4) == 4);
    NEED(read(streams[1], buffer, 4) == 2);
    // A receive of nothing takes nothing of a stream, and all of a datagram.
    give(streams[0], "s");
    NEED(recv(streams[1], buffer, 0, 0) == 0);
    take(streams[1], "s");
    give(datagrams[0], "d");
    NEED(recv(datagrams[1], buffer, 0, 0) == 0);
    NEED(recv(datagrams[1], buffer, 64, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    return 0;
}
