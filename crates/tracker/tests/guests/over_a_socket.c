// dup2 puts one connection's descriptor over another's: the first is closed by it, and its peer
// sees the end of the stream; what is written then goes to the second.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int first = tcp_connect(&address), first_peer = accept(listener, 0, 0);
    int second = tcp_connect(&address), second_peer = accept(listener, 0, 0);
    TRY(dup2(second, first));
    end_of(first_peer);
    give(first, "over");
    take(second_peer, "over");
    close(second);
    give(first, "still");
    take(second_peer, "still");
    close(first);
    end_of(second_peer);
}
