// IPv6 addresses of one link (fe80::1 with the number of its interface), in a network namespace of
// its own: a connection and a datagram.
#include "guest.h"
#include <net/if.h>
#include <linux/ipv6.h>
#include <sched.h>
#include <sys/ioctl.h>
int main(void) {
    // As root without a user namespace; else with one.
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) return 77;
    int control = socket(AF_INET6, SOCK_DGRAM, 0);
    if (control < 0) return 77; // no IPv6 here
    struct ifreq up = {.ifr_name = "lo"};
    TRY(ioctl(control, SIOCGIFINDEX, &up));
    int link = up.ifr_ifindex;
    up.ifr_flags = IFF_UP | IFF_RUNNING;
    TRY(ioctl(control, SIOCSIFFLAGS, &up));
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_scope_id = link};
    NEED(inet_pton(AF_INET6, "fe80::1", &address.sin6_addr) == 1);
    struct in6_ifreq add = {.ifr6_addr = address.sin6_addr, .ifr6_prefixlen = 64, .ifr6_ifindex = link};
    if (ioctl(control, SIOCSIFADDR, &add) < 0) return 77;
    close(control);
    socklen_t length = sizeof address;
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    // The address is there a little after it was asked for.
    for (int i = 0; i < 1000 && bind(listener, (void *)&address, length) < 0; i++) usleep(1000);
    TRY(getsockname(listener, (void *)&address, &length));
    TRY(listen(listener, 1));
    pid_t child = fork();
    if (!child) {
        int client = socket(AF_INET6, SOCK_STREAM, 0);
        TRY(connect(client, (void *)&address, length));
        give(client, "by link");
        take(client, "answer");
        _exit(0);
    }
    int server = accept(listener, 0, 0);
    take(server, "by link");
    give(server, "answer");
    reap(child, 0);
    int receiver = socket(AF_INET6, SOCK_DGRAM, 0), sender = socket(AF_INET6, SOCK_DGRAM, 0);
    address.sin6_port = 0;
    TRY(bind(receiver, (void *)&address, length));
    TRY(getsockname(receiver, (void *)&address, &length));
    NEED(sendto(sender, "gram", 4, 0, (void *)&address, length) == 4);
    take(receiver, "gram");
    return 0;
}
