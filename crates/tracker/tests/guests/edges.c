// An edge-triggered epoll set: what a read leaves is not announced again, so everything is read,
// three bytes at a time, until there is no more. An edge comes with each further send.
#include "guest.h"
#include <sys/epoll.h>
static int until_empty(int from) {
    char buffer[3];
    int sum = 0, count;
    while ((count = read(from, buffer, sizeof buffer)) > 0) sum += count;
    NEED(count == -1 && errno == EAGAIN);
    return sum;
}
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    NEED(fcntl(server, F_GETFD) == FD_CLOEXEC && fcntl(server, F_GETFL) & O_NONBLOCK);
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET | EPOLLRDHUP};
    TRY(epoll_ctl(set, EPOLL_CTL_ADD, server, &event));
    NEED(epoll_wait(set, &event, 1, 0) == 0);
    give(client, "eight by");
    NEED(epoll_wait(set, &event, 1, 1000) == 1 && event.events == EPOLLIN);
    char byte;
    NEED(read(server, &byte, 1) == 1);
    NEED(epoll_wait(set, &event, 1, 0) == 0);
    NEED(until_empty(server) == 7);
    give(client, "te");
    NEED(epoll_wait(set, &event, 1, 1000) == 1);
    NEED(until_empty(server) == 2);
    NEED(epoll_wait(set, &event, 1, 0) == 0);
    TRY(close(client));
    NEED(epoll_wait(set, &event, 1, 1000) == 1 && event.events & EPOLLRDHUP);
    end_of(server);
    return 0;
}
