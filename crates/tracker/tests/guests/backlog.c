// Connects complete before anyone accepts: the backlog shakes hands. accept does not cause connect.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int first = tcp_connect(&address), second = tcp_connect(&address);
    give(first, "one");
    give(second, "two");
    int one = accept(listener, 0, 0), two = accept4(listener, 0, 0, SOCK_CLOEXEC);
    take(one, "one");
    take(two, "two");
}
