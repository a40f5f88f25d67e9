// What comes from one connection goes through a pipe to another without being seen (splice), and
// part of it is doubled on the way (tee).
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address), ends[2];
    TRY(pipe(ends));
    int from = tcp_connect(&address), from_peer = accept(listener, 0, 0);
    int to = tcp_connect(&address), to_peer = accept(listener, 0, 0);
    give(from, "through a pipe");
    NEED(splice(from_peer, 0, ends[1], 0, 100, 0) == 14);
    NEED(splice(ends[0], 0, to, 0, 14, 0) == 14);
    take(to_peer, "through a pipe");
    give(to_peer, "back");
    take(to, "back");
}
