// sendfile and splice until there is no more: the call that finds the end sends nothing, and what is
// written after it is not taken for it.
#include "guest.h"
int main(void) {
    int pair[2], ends[2];
    char name[] = "/tmp/linchpin-guest-XXXXXX";
    int file = mkstemp(name);
    TRY(file);
    unlink(name);
    NEED(write(file, "of the file", 11) == 11);
    TRY(lseek(file, 0, SEEK_SET));
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    NEED(sendfile(client, file, 0, 4096) == 11);
    NEED(sendfile(client, file, 0, 4096) == 0);
    give(client, "; and more");
    take(server, "of the file; and more");
    TRY(pipe(ends));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    give(pair[0], "of the socket");
    TRY(shutdown(pair[0], SHUT_WR));
    NEED(splice(pair[1], 0, ends[1], 0, 4096, 0) == 13);
    NEED(splice(pair[1], 0, ends[1], 0, 4096, 0) == 0);
    NEED(splice(ends[0], 0, client, 0, 4096, SPLICE_F_NONBLOCK) == 13);
    NEED(splice(ends[0], 0, client, 0, 4096, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN);
    give(client, "; the end");
    take(server, "of the socket; the end");
    return 0;
}
