// A connected UDP socket sends without an address, and receives from its peer alone; connected
// again, to another; then to nobody.
#include "guest.h"
static int bound(struct sockaddr_in *address) {
    int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    TRY(bind(socket_, (void *)address, length));
    TRY(getsockname(socket_, (void *)address, &length));
    return socket_;
}
int main(void) {
    struct sockaddr_in one_address, two_address, own_address;
    int one = bound(&one_address), two = bound(&two_address), own = bound(&own_address);
    TRY(connect(own, (void *)&one_address, sizeof one_address));
    give(own, "to one");
    take(one, "to one");
    NEED(sendto(two, "unheard", 7, 0, (void *)&own_address, sizeof own_address) == 7);
    NEED(sendto(one, "heard", 5, 0, (void *)&own_address, sizeof own_address) == 5);
    take(own, "heard");
    TRY(connect(own, (void *)&two_address, sizeof two_address));
    give(own, "to two");
    take(two, "to two");
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    TRY(connect(own, &nobody, sizeof nobody));
    NEED(send(own, "x", 1, 0) == -1 && errno == EDESTADDRREQ);
}
